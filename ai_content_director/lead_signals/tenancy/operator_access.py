"""The operator's key opens the console, the JSON API and the metrics. Without a configured key only `local` leaves them open."""

import base64
import binascii
import contextlib
import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request

from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings


class OperatorAccess:
    """A dependency for routes that show or change tenants' data.

    The key comes as `Authorization: Bearer <key>` or `X-API-Key: <key>` from programs, and as the password of HTTP Basic from
    browsers, which ask for it by themselves.
    """

    def __init__(self, settings: Settings) -> None:
        self._public_host = None if settings.public_base_url is None else urlsplit(settings.public_base_url).hostname
        self._key = None if settings.operator_api_key is None else settings.operator_api_key.get_secret_value().encode()

    def __call__(self, request: Request) -> None:
        """Raises RefusedRequest: 401 without the right key, 403 for a page of another site that acts through the person's browser."""
        refuse_other_sites(request)
        if self._key is None:
            self._refuse_rebound_names(request)
        elif not any(hmac.compare_digest(shown, self._key) for shown in shown_keys(request)):
            raise RefusedRequest(
                401,
                "no_key",
                "Send the operator's key (OPERATOR_API_KEY) as 'Authorization: Bearer <key>', or as the password in a browser.",
            )

    def _refuse_rebound_names(self, request: Request) -> None:
        """Without a key only the address protects: a stranger's domain that points at us (DNS rebinding) must not open the console.

        Such a domain always has a dot; addresses, names without one and the host of PUBLIC_BASE_URL are ours.
        """
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if "." in host and host != self._public_host and not host.endswith(".localhost") and not _is_address(host):
            raise RefusedRequest(403, "foreign_host", "This name is not ours: set PUBLIC_BASE_URL to it, or OPERATOR_API_KEY.")


def refuse_other_sites(request: Request) -> None:
    """Raise RefusedRequest (403) when a page of another site makes a person's browser change something here.

    Browsers say so in Sec-Fetch-Site; on plain http beyond localhost they leave it out, and then Origin tells.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    said = request.headers.get("sec-fetch-site")
    foreign = said not in ("same-origin", "none") if said else origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise RefusedRequest(403, "cross_site", "This request came from a page of another site.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def shown_keys(request: Request) -> list[bytes]:
    """Every key that a request carries, wherever it may stand, as the bytes that were sent."""
    # Starlette decodes headers as Latin-1; the way back gives the bytes that were sent.
    shown = [value.encode("latin-1") for value in request.headers.getlist("x-api-key")]
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        shown.append(credentials.strip(" \t").encode("latin-1"))
    elif scheme.lower() == "basic":
        with contextlib.suppress(binascii.Error, ValueError):
            shown.append(base64.b64decode(credentials, validate=True).partition(b":")[2])
    return shown
