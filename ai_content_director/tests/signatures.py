"""How each platform proves that it sends: the headers it puts on exactly these bytes. Every secret is invented."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

PLATFORMS = ("facebook", "instagram", "whatsapp", "zalo", "tiktok")
VARIABLES = {
    "facebook": "FACEBOOK_APP_SECRET",
    "instagram": "INSTAGRAM_APP_SECRET",
    "whatsapp": "WHATSAPP_APP_SECRET",
    "zalo": "ZALO_SECRET_KEY",
    "tiktok": "TIKTOK_CLIENT_SECRET",
}
SECRETS = {platform: f"bi-mat-rieng-cua-{platform}" for platform in PLATFORMS}
ENVIRONMENT = {VARIABLES[platform]: secret for platform, secret in SECRETS.items()}

Headers = list[tuple[bytes, bytes]]


def signed_as(platform: str, raw_body: bytes, secret: str | None = None, *, sent_at: datetime | None = None) -> Headers:
    """The headers of a delivery that this platform signs, with its secret of above unless told otherwise.

    `sent_at` is the moment of sending, now unless told otherwise; of our platforms only TikTok signs one.
    """
    key = (SECRETS[platform] if secret is None else secret).encode()
    match platform:
        case "tiktok":
            seconds = str(int((sent_at or datetime.now(UTC)).timestamp())).encode()
            digits = hmac.new(key, seconds + b"." + raw_body, "sha256").hexdigest().encode()
            signature = (b"tiktok-signature", b"t=" + seconds + b",s=" + digits)
        case "zalo":  # no HMAC, and the digits of the app's id and of the time as they stand in the body
            event = json.loads(raw_body, parse_int=str, parse_float=str)
            before, behind = str(event.get("app_id") or event.get("oa_id") or ""), str(event.get("timestamp", ""))
            signature = (b"x-zevent-signature", b"mac=" + sha256(before.encode() + raw_body + behind.encode() + key).hexdigest().encode())
        case _:
            signature = (b"x-hub-signature-256", b"sha256=" + hmac.new(key, raw_body, "sha256").hexdigest().encode())
    return [(b"content-type", b"application/json"), signature]


def signature_of(headers: Headers) -> tuple[bytes, bytes]:
    """The header that carries the signature, by name and value."""
    (found,) = [(name, value) for name, value in headers if name != b"content-type"]
    return found
