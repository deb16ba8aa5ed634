"""One HTTP exchange with Graph, bounded in time and memory, with nothing secret where logs could see it."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Literal

import httpx

from lead_signals.graph_api.graph_answer import read_graph_answer
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.pace import Pace
from lead_signals.graph_api.quiet_url import QuietUrl
from lead_signals.json_body import JsonObject

ANSWER_READ_LIMIT_BYTES = 256 * 1024
_TOKEN = re.compile(r"[!-~]{1,4096}")  # what may stand in a header


class GraphWire:
    """Speaks to one Graph address for one app. `timeout_seconds` is the total time of one exchange, waiting for a connection included."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, *, app_secret: bytes | None, timeout_seconds: float, pace: Pace) -> None:
        self._client = client
        self._base_url = httpx.URL(base_url)
        if self._base_url.scheme not in ("http", "https") or not self._base_url.host or self._base_url.query:
            raise ValueError(f"the address of Graph must look like https://graph.facebook.com/v26.0, not {base_url!r}")
        self._app_secret = app_secret
        self._timeout_seconds = timeout_seconds
        self._pace = pace

    async def exchange(
        self,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        token: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> "JsonObject | GraphFailure":
        """Ask once, and say what came of it. `path` begins with a slash and is trusted: ids in it were checked. Redirects are not followed.

        `secrets` are what Graph's own words must not repeat to us, beside the token and the app's secret.
        """
        if not is_token(token):
            return GraphFailure(FailureKind.RECONNECT)
        request = self._request(method, path, token, query or {}, form)
        answer: httpx.Response | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):  # httpx's own timeouts are per read: one byte a second never trips them
                answer = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    body = await _read_whole(answer)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError):
            return GraphFailure(FailureKind.RETRY, http_status=None if answer is None else answer.status_code)
        self._pace.note_usage(token, answer.headers)
        own = () if self._app_secret is None else (self._app_secret.decode("utf-8", "replace"),)
        said = read_graph_answer(answer.status_code, answer.headers, body, (token, *own, *secrets))
        if isinstance(said, GraphFailure) and said.is_throttle:
            self._pace.note_throttle(token, said)
        return said

    def _request(self, method: str, path: str, token: str, query: Mapping[str, str], form: Mapping[str, str] | None) -> httpx.Request:
        proof = {} if self._app_secret is None else {"appsecret_proof": appsecret_proof(self._app_secret, token)}
        url = self._base_url.copy_with(path=self._base_url.path.rstrip("/") + path, params={**query, **proof})
        headers = {"authorization": f"Bearer {token}", "user-agent": "lead-signals", "accept-encoding": "identity"}
        request = self._client.build_request(method, url, headers=headers, data=form, timeout=self._timeout_seconds)
        request.url = QuietUrl(url)
        return request


def is_token(text: str) -> bool:
    """Whether `text` can be a token at all: one word of visible ASCII."""
    return _TOKEN.fullmatch(text) is not None


def appsecret_proof(app_secret: bytes, token: str) -> str:
    """What proves to Graph that a call with this token comes from the app's own server: lower-case hex (docs: securing requests)."""
    return hmac.new(app_secret, token.encode(), hashlib.sha256).hexdigest()


async def _read_whole(answer: httpx.Response) -> bytes | None:
    """The body as it came, or None once it is bigger than we read; never decompressed, so that nothing can swell here."""
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > ANSWER_READ_LIMIT_BYTES:
            return None
    return bytes(body)
