"""TikTok-Signature: does one of our client secrets prove who sent exactly these bytes, and not too long ago?

`t=<unix seconds>,s=<64 lowercase hex digits>`, HMAC-SHA256 over `<t>.<body as it came>`, keyed with the app's client secret.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from lead_signals.platforms.adapter import HeaderPairs
from lead_signals.platforms.signature_verdict import SignatureVerdict

SIGNATURE_HEADER_NAME = "TikTok-Signature"
SIGNATURE_FORM = "t=<unix seconds>,s=<64 hex digits>"
_SIGNATURE_HEADER = SIGNATURE_HEADER_NAME.lower().encode()
_SIGNATURE = re.compile(rb"t=([0-9]{1,12}),s=([0-9a-f]{64})")

# TikTok delivers again, ever more rarely, for up to 72 hours, and does not say whether it signs afresh each time. If a delivery keeps
# its first time, a narrower limit would refuse for ever all that was sent while we were away. What somebody caught on its way and sends
# again within that time makes nothing new: the message is known by its id. One hour more for the last try, late, and for clocks.
OLDEST_SECONDS = 73 * 3600
# Nothing is signed before its time: five minutes are for clocks that differ. A time further ahead could be kept, and sent when it has come.
FURTHEST_AHEAD_SECONDS = 300


def verify_delivery(headers: HeaderPairs, raw_body: bytes, secrets: Sequence[bytes], now: datetime) -> SignatureVerdict:
    """The verdict on a delivery. Raises nothing. No secret, or an empty one, is closed: it never gives `valid`.

    A repeated signature header is malformed. Only what a secret proved can be `stale`, by a time too
    long ago or too far ahead: a forged time is a mismatch.
    """
    values = [value for name, value in headers if name.lower() == _SIGNATURE_HEADER]
    if len(values) > 1:
        return SignatureVerdict.MALFORMED
    if not values or not values[0]:
        return SignatureVerdict.MISSING
    signature = _SIGNATURE.fullmatch(values[0])
    if signature is None:
        return SignatureVerdict.MALFORMED
    sent_at, claimed = signature[1], signature[2]
    signed = sent_at + b"." + raw_body
    # Every secret is computed and compared, whichever fits: the time taken says nothing about which one, or whether.
    fits = [
        hmac.compare_digest(hmac.new(secret, signed, "sha256").hexdigest().encode("ascii"), claimed) and len(secret) > 0
        for secret in secrets
    ]
    if not any(fits):
        return SignatureVerdict.MISMATCH
    is_fresh = -FURTHEST_AHEAD_SECONDS <= now.timestamp() - int(sent_at) <= OLDEST_SECONDS
    return SignatureVerdict.VALID if is_fresh else SignatureVerdict.STALE
