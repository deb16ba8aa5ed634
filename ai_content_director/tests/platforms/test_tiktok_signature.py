"""TikTok-Signature, by a digest that was computed elsewhere, and by everything that is almost one; and how old it may be."""

import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from lead_signals.platforms.signature_verdict import SignatureVerdict
from lead_signals.platforms.tiktok.signature import FURTHEST_AHEAD_SECONDS, OLDEST_SECONDS, verify_delivery
from tests.platforms.adapter_conformance import NOW
from tests.platforms.test_tiktok_conformance import sign_as_tiktok

SECRET = b"client-secret-mau"
BODY = (
    b'{"client_key":"app_mau_01","event":"im_receive_msg","create_time":1795334400,"user_openid":"biz_mau_0001",'
    b'"content":"{\\"text\\":{\\"body\\":\\"Gi\\\\u00e1 sao \\\\ud83d\\\\ude0a\\"}}"}'
)
# By a command line: (printf '1795334390.'; cat body) | openssl dgst -sha256 -hmac "$SECRET"
HEXDIGITS = "b34880cb3ec32fb299a4e7d9f95a71c477b8e729116bd6724ca8fc61dc5069b1"
HEADER = f"t=1795334390,s={HEXDIGITS}"
SENT_AT = datetime.fromtimestamp(1795334390, UTC)


def verdict(header: str | bytes | None, raw: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,), now: datetime = NOW) -> SignatureVerdict:
    value = header.encode() if isinstance(header, str) else header
    headers = [(b"content-type", b"application/json")]
    return verify_delivery([*headers, (b"TikTok-Signature", value)] if value is not None else headers, raw, secrets, now)


def test_a_digest_computed_by_another_program_is_valid() -> None:
    assert verdict(HEADER) is SignatureVerdict.VALID


def test_the_bytes_count_and_not_their_meaning() -> None:
    same_meaning = json.dumps(json.loads(BODY)).encode()
    assert json.loads(same_meaning) == json.loads(BODY)
    assert verdict(HEADER, same_meaning) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize("position", [0, 40, len(BODY) // 2, len(BODY) - 1])
def test_one_changed_byte_anywhere_is_a_mismatch(position: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1
    assert verdict(HEADER, bytes(changed)) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize("header", [None, "", b""])
def test_a_missing_header_is_missing(header: str | bytes | None) -> None:
    assert verdict(header) is SignatureVerdict.MISSING
    assert verdict(header, b"") is SignatureVerdict.MISSING  # asked before the body has come


@pytest.mark.parametrize(
    "header",
    [
        HEXDIGITS,
        f"s={HEXDIGITS}",
        "t=1795334390",
        f"t=,s={HEXDIGITS}",
        f"t=-1795334390,s={HEXDIGITS}",
        f"t=1795334390.5,s={HEXDIGITS}",
        f"t={'1' * 13},s={HEXDIGITS}",
        f"t=١٧٩٥,s={HEXDIGITS}",
        f"t=1795334390,s={HEXDIGITS[:-1]}",
        f"t=1795334390,s={HEXDIGITS[:32]}",
        f"t=1795334390,s={HEXDIGITS}0",
        f"t=1795334390,s={HEXDIGITS}\n",
        f"t=1795334390,s={HEXDIGITS.upper()}",
        f" t=1795334390,s={HEXDIGITS}",
        f"t=1795334390,v1={HEXDIGITS}",
        f"t=1795334390,t=1795334390,s={HEXDIGITS}",
        f"t=1795334390,s={'z' * 64}",
        f"t=1795334390,s={'é' * 64}",
        b"t=1795334390,s=" + b"\xff" * 64,
        f"{HEADER},{HEADER}",
    ],
)
def test_what_is_almost_a_signature_is_malformed_and_raises_nothing(header: str | bytes) -> None:
    assert verdict(header) is SignatureVerdict.MALFORMED


def test_a_repeated_header_is_malformed() -> None:
    good = (b"tiktok-signature", HEADER.encode())
    assert verify_delivery([good], BODY, [SECRET], NOW) is SignatureVerdict.VALID
    assert verify_delivery([good, good], BODY, [SECRET], NOW) is SignatureVerdict.MALFORMED


def test_a_wrong_secret_is_a_mismatch_and_any_of_several_is_enough() -> None:
    assert verdict(HEADER, secrets=(b"cu",)) is SignatureVerdict.MISMATCH
    assert verdict(HEADER, secrets=(b"cu", SECRET)) is SignatureVerdict.VALID
    assert verdict(HEADER, secrets=(SECRET, b"cu")) is SignatureVerdict.VALID
    assert verdict(HEADER, secrets=()) is SignatureVerdict.MISMATCH


def test_an_empty_secret_never_fits_although_it_could_be_computed() -> None:
    forged = sign_as_tiktok(BODY, b"")[-1][1]
    assert verdict(forged, secrets=(b"",)) is SignatureVerdict.MISMATCH
    assert verdict(forged, secrets=(b"", SECRET)) is SignatureVerdict.MISMATCH
    assert verdict(HEADER, secrets=(b"", SECRET)) is SignatureVerdict.VALID


def test_every_secret_is_computed_even_after_one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[bytes] = []
    compute = hmac.new
    monkeypatch.setattr(hmac, "new", lambda key, message, digest: (keys.append(key), compute(key, message, digest))[1])
    assert verdict(HEADER, secrets=(SECRET, b"cu", b"rat cu")) is SignatureVerdict.VALID
    assert keys == [SECRET, b"cu", b"rat cu"]


@pytest.mark.parametrize(
    ("seconds_later", "expected"),
    [
        (-86_400, SignatureVerdict.STALE),
        (-FURTHEST_AHEAD_SECONDS - 1, SignatureVerdict.STALE),
        (-FURTHEST_AHEAD_SECONDS, SignatureVerdict.VALID),
        (72 * 3600, SignatureVerdict.VALID),  # TikTok's last try, with the time of its first
        (OLDEST_SECONDS, SignatureVerdict.VALID),
        (OLDEST_SECONDS + 1, SignatureVerdict.STALE),
    ],
)
def test_a_delivery_is_good_as_long_as_tiktok_tries_and_not_before_its_time(seconds_later: int, expected: SignatureVerdict) -> None:
    assert (FURTHEST_AHEAD_SECONDS, OLDEST_SECONDS) == (300, 262_800)
    assert verdict(HEADER, now=SENT_AT + timedelta(seconds=seconds_later)) is expected


def test_a_forged_time_is_a_mismatch_and_not_a_fresh_delivery() -> None:
    too_late = NOW + timedelta(days=4)
    assert verdict(HEADER, now=too_late) is SignatureVerdict.STALE
    assert verdict(f"t={int(too_late.timestamp())},s={HEXDIGITS}", now=too_late) is SignatureVerdict.MISMATCH
    assert verdict(f"t=01795334390,s={HEXDIGITS}") is SignatureVerdict.MISMATCH  # the digits are signed, not their value
