"""X-ZEvent-Signature, by digests that were computed elsewhere, and by everything that is almost one."""

import hmac
import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from lead_signals.platforms.signature_verdict import SignatureVerdict
from lead_signals.platforms.zalo import signature
from lead_signals.platforms.zalo.signature import LARGEST_EVENT_BYTES, verify_delivery
from tests.platforms.adapter_conformance import NOW

SECRET = b"khoa-bi-mat-cua-OA-mau"
APP, OA, TIME = "4400110022003300440", "5500660077008800990", "1795260000120"
BODY = (
    b'{"app_id":"4400110022003300440","event_name":"user_send_text","sender":{"id":"6100200300400500601"},'
    b'"recipient":{"id":"5500660077008800990"},"message":{"text":"Gi\\u00e1 bao nhi\\u00eau \\ud83d\\ude0a\\/m\\u00e1y?","msg_id":"z_1"},'
    b'"timestamp":"1795260000120"}'
)
# By a command line: (printf APP; cat body; printf TIME SECRET) | sha256sum
BY_APP = "38492f8ef2c60f0c0621a2525b0126419ddbb94b2b9c455fef5cb8fcdb9bffef"
BY_OA = "307fe5aaf4139b56ef7c139a05430c089881842a52369508ec1de8aa8b30c83e"
BY_APP_AND_HEADER_TIME = "400bd0f572b592d13c73e0d55abf35e13782b0f54c6725c86ee668b2fef49063"
HEADER_TIME = b"1795260009999"


def verdict(
    mac: str | bytes | None, raw: bytes = BODY, secrets: tuple[bytes, ...] = (SECRET,), times: tuple[bytes, ...] = (), now: datetime = NOW
) -> SignatureVerdict:
    value = mac.encode() if isinstance(mac, str) else mac
    headers = [(b"content-type", b"application/json"), *((b"X-ZEvent-Timestamp", time) for time in times)]
    return verify_delivery([*headers, (b"X-ZEvent-Signature", value)] if value is not None else headers, raw, secrets, now)


def digest(before: str, raw: bytes, behind: str, secret: bytes = SECRET) -> str:
    return sha256(before.encode() + raw + behind.encode() + secret).hexdigest()


def event(**more: Any) -> bytes:
    told = {"app_id": APP, "event_name": "user_send_text", "sender": {"id": "6"}, "recipient": {"id": OA}, "timestamp": TIME} | more
    return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


@pytest.mark.parametrize("mac", [BY_APP, BY_OA])
def test_a_digest_computed_by_another_program_is_valid_with_the_prefix_and_without(mac: str) -> None:
    assert verdict(f"mac={mac}") is SignatureVerdict.VALID
    assert verdict(mac) is SignatureVerdict.VALID


def test_a_time_in_the_header_may_be_the_one_that_was_signed() -> None:
    assert verdict(BY_APP_AND_HEADER_TIME, times=(HEADER_TIME,)) is SignatureVerdict.VALID
    assert verdict(BY_APP, times=(HEADER_TIME,)) is SignatureVerdict.VALID
    assert verdict(BY_APP_AND_HEADER_TIME) is SignatureVerdict.MISMATCH
    assert verdict(BY_APP_AND_HEADER_TIME, times=(b"1795260009998",)) is SignatureVerdict.MISMATCH


def test_the_bytes_count_and_not_their_meaning() -> None:
    same_meaning = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    assert json.loads(same_meaning) == json.loads(BODY)
    assert verdict(BY_APP, same_meaning) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize("position", [0, 11, 120, len(BODY) // 2, len(BODY) - 3])
def test_one_changed_byte_anywhere_is_a_mismatch(position: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1
    assert verdict(BY_APP, bytes(changed)) is SignatureVerdict.MISMATCH


def test_it_is_no_hmac() -> None:
    signed = APP.encode() + BODY + TIME.encode()
    assert verdict(sha256(signed + SECRET).hexdigest()) is SignatureVerdict.VALID
    assert verdict(hmac.new(SECRET, signed, "sha256").hexdigest()) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize("mac", [None, "", b""])
def test_a_missing_header_is_missing(mac: str | bytes | None) -> None:
    assert verdict(mac) is SignatureVerdict.MISSING
    assert verdict(mac, b"") is SignatureVerdict.MISSING  # asked before the body has come


@pytest.mark.parametrize(
    "mac",
    [
        BY_APP[:-1],
        BY_APP[:32],
        BY_APP + "0",
        BY_APP + "\n",
        " " + BY_APP,
        "mac=",
        "mac=mac=" + BY_APP,
        "MAC=" + BY_APP,
        "mac=" + BY_APP.upper(),
        "sha256=" + BY_APP,
        "mac=" + "z" * 64,
        "mac=" + "é" * 64,
        b"mac=" + b"\xff" * 64,
        f"mac={BY_APP},mac={BY_APP}",
    ],
)
def test_what_is_almost_a_signature_is_malformed_and_raises_nothing(mac: str | bytes) -> None:
    assert verdict(mac) is SignatureVerdict.MALFORMED


def test_a_repeated_header_is_malformed() -> None:
    good = (b"x-zevent-signature", BY_APP.encode())
    assert verify_delivery([good], BODY, [SECRET], NOW) is SignatureVerdict.VALID
    assert verify_delivery([good, good], BODY, [SECRET], NOW) is SignatureVerdict.MALFORMED
    assert verdict(BY_APP, times=(HEADER_TIME, HEADER_TIME)) is SignatureVerdict.MALFORMED


def test_a_wrong_secret_is_a_mismatch_and_any_of_several_is_enough() -> None:
    assert verdict(BY_APP, secrets=(b"cu",)) is SignatureVerdict.MISMATCH
    assert verdict(BY_APP, secrets=(b"cu", SECRET)) is SignatureVerdict.VALID
    assert verdict(BY_APP, secrets=(SECRET, b"cu")) is SignatureVerdict.VALID
    assert verdict(BY_APP, secrets=()) is SignatureVerdict.MISMATCH


def test_an_empty_secret_never_fits_although_it_could_be_computed() -> None:
    forged = digest(APP, BODY, TIME, b"")
    assert verdict(forged, secrets=(b"",)) is SignatureVerdict.MISMATCH
    assert verdict(forged, secrets=(b"", SECRET)) is SignatureVerdict.MISMATCH
    assert verdict(BY_APP, secrets=(b"", SECRET)) is SignatureVerdict.VALID


def test_every_form_is_compared_with_every_secret_even_after_one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    compare = signature.hmac.compare_digest

    def watched(first: bytes, second: bytes) -> bool:
        compared.append(first)
        return compare(first, second)

    monkeypatch.setattr(signature.hmac, "compare_digest", watched)
    assert verdict(BY_APP, secrets=(SECRET, b"cu"), times=(HEADER_TIME,)) is SignatureVerdict.VALID
    # app, sender and OA may stand first, two times behind, and there are two secrets
    assert len(set(compared)) == len(compared) == 3 * 2 * 2
    assert compared[0].decode() == BY_APP


def test_the_id_of_the_account_may_stand_first_wherever_an_event_names_it() -> None:
    flat = event(app_id=None, sender=None, recipient=None, oa_id=OA)
    echo = event(sender={"id": OA}, recipient={"id": "6"})
    for raw in (flat, echo, event()):
        assert verdict(digest(OA, raw, TIME), raw) is SignatureVerdict.VALID
        assert verdict(digest("123", raw, TIME), raw) is SignatureVerdict.MISMATCH


def test_numbers_are_signed_by_their_digits_above_2_to_the_53() -> None:
    raw = event(app_id=int(APP) + 1, timestamp=int(TIME))
    assert verdict(digest("4400110022003300441", raw, TIME), raw) is SignatureVerdict.VALID
    assert verdict(digest("4400110022003300440", raw, TIME), raw) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize("odd", ["", " ", "44 ", "+44", "-44", "4.4", "4e4", "٤٤", "{}", "4" * 33, 4.5, True, ["44"], {"44": 1}])
def test_what_is_no_run_of_digits_never_stands_beside_the_body(odd: Any) -> None:
    alone: dict[str, Any] = {"sender": None, "recipient": None}
    for raw, before, behind in (
        (event(app_id=odd, **alone), str(odd), TIME),
        (event(timestamp=odd, **alone), APP, str(odd)),
    ):
        assert verdict(digest(before, raw, behind), raw) is SignatureVerdict.MISMATCH


def test_bytes_cannot_be_moved_between_the_body_and_what_stands_behind_it() -> None:
    raw = event() + b"\n"
    mac = digest(APP, raw, TIME)
    assert verdict(mac, raw) is SignatureVerdict.VALID
    assert verdict(mac, raw[:-1], times=(b"\n" + TIME.encode(),)) is SignatureVerdict.MISMATCH


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"app_id":NaN}', b"[" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900, b"{}"],
    ids=lambda raw: repr(raw[:12]),
)
def test_a_body_that_nobody_signed_is_a_mismatch_and_raises_nothing(raw: bytes) -> None:
    assert verdict(digest("", raw, ""), raw) is SignatureVerdict.MISMATCH
    assert verdict(digest(APP, raw, TIME), raw, times=(TIME.encode(),)) is SignatureVerdict.MISMATCH


def test_a_body_larger_than_any_event_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    room = LARGEST_EVENT_BYTES - len(event(message={"text": ""}))
    largest, larger = event(message={"text": "x" * room}), event(message={"text": "x" * (room + 1)})
    assert (len(largest), len(larger)) == (LARGEST_EVENT_BYTES, LARGEST_EVENT_BYTES + 1)
    assert verdict(digest(APP, largest, TIME), largest) is SignatureVerdict.VALID
    monkeypatch.setattr(signature, "parse_json_body", lambda raw: pytest.fail("parsed before anybody was proven"))
    assert verdict(digest(APP, larger, TIME), larger) is SignatureVerdict.MISMATCH
    assert verdict("no signature", BODY) is SignatureVerdict.MALFORMED


def test_a_delivery_repeated_for_hours_is_still_the_one_that_was_signed() -> None:
    assert [verdict(BY_APP, now=NOW + timedelta(hours=hours)) for hours in (0, 2, 48)] == [SignatureVerdict.VALID] * 3
