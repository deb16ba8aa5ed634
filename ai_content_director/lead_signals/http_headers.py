"""Headers that make every answer safe to show in a browser, whatever a stranger wrote into it."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
ONE_YEAR = "max-age=31536000; includeSubDomains"


def safe_headers(*, production: bool) -> dict[str, str]:
    """What every answer carries unless it says otherwise itself. In production browsers are told to come by TLS only."""
    return {**ALWAYS, "strict-transport-security": ONE_YEAR} if production else dict(ALWAYS)


class SafeHeaders:
    """Middleware (plain ASGI, so that it costs nothing): adds the headers an answer does not carry yet."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message, self._headers)
            await send(message)

        await self._app(scope, receive, send_safely)


def _complete(message: MutableMapping[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    present = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *((name, value) for name, value in headers if name not in present)]
