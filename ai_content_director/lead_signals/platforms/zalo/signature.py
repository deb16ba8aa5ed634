"""X-ZEvent-Signature: does one of our OA secret keys prove who sent exactly these bytes?

`mac=<64 lowercase hex digits>` (the prefix is optional), a plain SHA-256 and no HMAC, over `app_id`, the body as it came, `timestamp`
and the OA secret key, one behind the other. `app_id` and `timestamp` stand in the body itself.
"""

import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from lead_signals.json_body import JsonObject, JsonValue, MalformedBody, parse_json_body
from lead_signals.platforms.adapter import HeaderPairs
from lead_signals.platforms.signature_verdict import SignatureVerdict

SIGNATURE_HEADER_NAME = "X-ZEvent-Signature"
SIGNATURE_FORM = "mac=<64 hex digits>"
_SIGNATURE_HEADER = SIGNATURE_HEADER_NAME.lower().encode()
_TIMESTAMP_HEADER = b"x-zevent-timestamp"
_SIGNATURE = re.compile(rb"(?:mac=)?([0-9a-f]{64})")
# Only digits may stand before and behind the body. A body begins and ends with anything but a digit, so what is hashed can be cut
# into its parts in one way: nobody can move bytes between them and have another body pass under a signature that was once right.
_DIGITS = re.compile(rb"[0-9]{1,32}")
# A body has to be parsed before anybody is proven, and a stranger's body of 350,000 empty lists costs 180 ms per MiB. Zalo's own
# events are a few KB each: a text of 3,000 characters, every one of them escaped, is 18 KB.
LARGEST_EVENT_BYTES = 65_536


def verify_delivery(headers: HeaderPairs, raw_body: bytes, secrets: Sequence[bytes], now: datetime) -> SignatureVerdict:
    """The verdict on a delivery. Raises nothing. No secret, or an empty one, is closed: it never gives `valid`.

    A repeated signature or timestamp header is malformed. A body that is no JSON object, that names no app or no time, or that is
    larger than any event, is a mismatch: Zalo signs none such. A delivery is never stale, so `now` is not asked.
    """
    # The timestamp is that of the event, and Zalo repeats a delivery for over an hour (older pages say twelve): to refuse an old
    # one would be to lose what came while we were down. Who repeats a delivery wins nothing by it: the message has an id that we
    # know by then, and makes no second lead.
    del now
    pairs = list(headers)
    signatures, times = _values(pairs, _SIGNATURE_HEADER), _values(pairs, _TIMESTAMP_HEADER)
    if len(signatures) > 1 or len(times) > 1:
        return SignatureVerdict.MALFORMED
    if not signatures or not signatures[0]:
        return SignatureVerdict.MISSING
    signature = _SIGNATURE.fullmatch(signatures[0])
    if signature is None:
        return SignatureVerdict.MALFORMED
    event = _unproven_event(raw_body)
    before, behind = _names_of_the_app(event), _digits([event.get("timestamp"), *(time.decode("latin-1") for time in times)])
    # Every form and every secret is computed and compared, whichever fits: the time taken says nothing about which one, or whether.
    fits = [
        hmac.compare_digest(digest, signature[1]) and len(secret) > 0
        for name in before
        for secret, digest in _digests(name, raw_body, behind, secrets)
    ]
    return SignatureVerdict.VALID if any(fits) else SignatureVerdict.MISMATCH


def _values(pairs: Sequence[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in pairs if name.lower() == wanted]


def _unproven_event(raw_body: bytes) -> JsonObject:
    """The body, for the three or four values that were signed beside it; empty when it cannot be Zalo's."""
    try:
        return parse_json_body(raw_body) if len(raw_body) <= LARGEST_EVENT_BYTES else {}
    except MalformedBody:
        return {}


def _names_of_the_app(event: JsonObject) -> list[bytes]:
    """What may stand first: `app_id` as documented; with some accounts the OA's id, wherever an event of theirs names it."""
    parties = [event.get("sender"), event.get("recipient")]
    return _digits([event.get("app_id"), event.get("oa_id"), *(party.get("id") for party in parties if isinstance(party, dict))])


def _digits(values: Iterable[JsonValue]) -> list[bytes]:
    """Each value once, as written: text of digits or a whole number. Ids lie above 2^53, and a float has lost their end."""
    written = [str(value).encode() for value in values if isinstance(value, str | int) and not isinstance(value, bool)]
    return [text for text in dict.fromkeys(written) if _DIGITS.fullmatch(text)]


def _digests(name: bytes, raw_body: bytes, times: Sequence[bytes], secrets: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    begun = sha256(name)
    begun.update(raw_body)  # once, however many secrets there are
    for time in times:
        for secret in secrets:
            digest = begun.copy()
            digest.update(time + secret)
            yield secret, digest.hexdigest().encode("ascii")
