"""Headers that make every answer safe to show in a browser, whatever a stranger wrote into it."""

from collections.abc import MutableMapping
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
}
ONE_YEAR = "max-age=31536000; includeSubDomains"


class SafeHeaders:
    """Middleware (plain ASGI, so that it costs nothing): adds the headers an answer does not carry yet."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self._app = app
        always = {**ALWAYS, "strict-transport-security": ONE_YEAR} if production else ALWAYS
        self._headers = [(name.encode(), value.encode()) for name, value in always.items()]

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
    wanted = [*headers, (b"cache-control", b"no-store")]
    message["headers"] = [*message["headers"], *((name, value) for name, value in wanted if name not in present)]
