"""X-Hub-Signature-256: does one of our app secrets prove who sent exactly these bytes?

`sha256=<64 lowercase hex digits>`, HMAC-SHA256 over the body as it came; keyed with the app secret. Meta signs the escaped
text it sends, so the raw bytes are right and any parse-and-dump is wrong. The older sha1 header proves nothing here.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from lead_signals.platforms.adapter import HeaderPairs
from lead_signals.platforms.signature_verdict import SignatureVerdict

SIGNATURE_HEADER_NAME = "X-Hub-Signature-256"
SIGNATURE_FORM = "sha256=<64 hex digits>"
SIGNATURE_HEADER = SIGNATURE_HEADER_NAME.lower().encode()
_SIGNATURE = re.compile(rb"sha256=([0-9a-f]{64})")


def verify_delivery(headers: HeaderPairs, raw_body: bytes, secrets: Sequence[bytes], now: datetime) -> SignatureVerdict:
    """The verdict on a delivery. A repeated signature header is malformed; Meta signs no time, so `now` is not asked."""
    del now
    values = [value for name, value in headers if name.lower() == SIGNATURE_HEADER]
    if len(values) > 1:
        return SignatureVerdict.MALFORMED
    return verify(values[0] if values else None, raw_body, secrets)


def verify(header_value: str | bytes | None, raw_body: bytes, secrets: Sequence[bytes]) -> SignatureVerdict:
    """The verdict on one header value. Raises nothing. No secret, or an empty one, is closed: it never gives `valid`."""
    if not header_value:
        return SignatureVerdict.MISSING
    header = header_value.encode("ascii", "replace") if isinstance(header_value, str) else header_value
    signature = _SIGNATURE.fullmatch(header)
    if signature is None:
        return SignatureVerdict.MALFORMED
    # Every secret is computed and compared, whichever fits: the time taken says nothing about which one, or whether.
    fits = [
        hmac.compare_digest(hmac.new(secret, raw_body, "sha256").hexdigest().encode("ascii"), signature[1]) and len(secret) > 0
        for secret in secrets
    ]
    return SignatureVerdict.VALID if any(fits) else SignatureVerdict.MISMATCH
