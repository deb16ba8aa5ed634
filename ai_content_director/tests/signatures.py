"""How each platform proves that it sends: the headers it puts on exactly these bytes. Every secret is invented."""

from datetime import UTC, datetime

from tests.platforms.test_facebook_page_conformance import sign_as_meta
from tests.platforms.test_tiktok_conformance import sign_as_tiktok
from tests.platforms.test_zalo_conformance import sign_as_zalo

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
    if platform == "tiktok":
        return sign_as_tiktok(raw_body, key, sent_at or datetime.now(UTC))
    return sign_as_zalo(raw_body, key) if platform == "zalo" else sign_as_meta(raw_body, key)


def signature_of(headers: Headers) -> tuple[bytes, bytes]:
    """The header that carries the signature, by name and value."""
    (found,) = [(name, value) for name, value in headers if name != b"content-type"]
    return found
