"""The operator's key opens the console, the JSON API and the metrics. Without a configured key only `local` leaves them open."""

import base64
import binascii
import contextlib
import hmac

from fastapi import Request

from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings


class OperatorAccess:
    """A dependency for routes that show or change tenants' data.

    The key comes as `Authorization: Bearer <key>` or `X-API-Key: <key>` from programs, and as the password of HTTP Basic from
    browsers, which ask for it by themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = None if settings.operator_api_key is None else settings.operator_api_key.get_secret_value().encode()

    def __call__(self, request: Request) -> None:
        """Raises RefusedRequest: 401 without the right key, 403 for a page of another site that acts through the person's browser."""
        if request.method not in ("GET", "HEAD", "OPTIONS") and request.headers.get("sec-fetch-site", "none") == "cross-site":
            raise RefusedRequest(403, "cross_site", "This request came from a page of another site.")
        if self._key is not None and not any(hmac.compare_digest(shown, self._key) for shown in _shown_keys(request)):
            raise RefusedRequest(
                401,
                "no_key",
                "Send the operator's key (OPERATOR_API_KEY) as 'Authorization: Bearer <key>', or as the password in a browser.",
            )


def _shown_keys(request: Request) -> list[bytes]:
    # Starlette decodes headers as Latin-1; the way back gives the bytes that were sent.
    shown = [value.encode("latin-1") for value in request.headers.getlist("x-api-key")]
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        shown.append(credentials.strip(" \t").encode("latin-1"))
    elif scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, ValueError):
            shown.append(base64.b64decode(credentials, validate=True).partition(b":")[2])
    return shown
