"""Standard Webhooks signatures: ours verify in the official library, theirs in ours, and nothing else does."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from lead_signals.followups.destinations.webhook_signature import UnusableSecretError, WebhookSigner, verify
from tests.platforms.shared_material import shared_path

SECRET = "whsec_" + b64encode(b"a secret of this test, 32 bytes!").decode()
OTHER = "whsec_" + b64encode(b"another one, as long as the last").decode()
AT = datetime(2026, 11, 20, 8, 30, 15, 999_999, tzinfo=UTC)
BODY = '{"said":"Cho tôi báo giá"}'.encode()


def signed(*secrets: str, webhook_id: str = "msg_1", at: datetime = AT, body: bytes = BODY) -> dict[str, str]:
    signature = WebhookSigner(secrets).sign(webhook_id, at, body)
    assert signature is not None
    return {"webhook-id": webhook_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_what_we_sign_verifies_for_the_holder_of_either_secret() -> None:
    at = datetime.now(UTC)
    headers = signed(SECRET, OTHER, at=at)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)
        assert verify(headers, BODY, [secret], at)


def test_the_zone_of_the_moment_does_not_matter() -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    assert signed(SECRET) == signed(SECRET, at=AT.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")))


def test_without_a_secret_nothing_is_signed_and_nothing_is_true() -> None:
    assert WebhookSigner(()).sign("msg_1", AT, BODY) is None
    assert not verify(signed(SECRET), BODY, [], AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_====", "whsec_!!!!"])
def test_an_empty_secret_signs_and_proves_nothing(secret: str) -> None:
    with pytest.raises(UnusableSecretError) as caught:
        WebhookSigner([secret])
    assert "whsec_ and base64" in str(caught.value)
    empty_key = Webhook(b"x")
    empty_key._whsecret = b""  # what a forger would sign with
    forged = signed(SECRET) | {"webhook-signature": empty_key.sign("msg_1", AT, BODY.decode())}
    assert not verify(forged, BODY, [secret], AT)
    assert verify(signed(SECRET), BODY, [secret, SECRET], AT)


FORGED: dict[str, dict[str, str]] = {
    "no id": {"webhook-id": ""},
    "another id": {"webhook-id": "msg_2"},
    "no timestamp": {"webhook-timestamp": ""},
    "a word for a timestamp": {"webhook-timestamp": "hello"},
    "another timestamp": {"webhook-timestamp": str(int(AT.timestamp()) - 1)},
    "the same moment spelled otherwise": {"webhook-timestamp": f"0{int(AT.timestamp())}"},
    "a fraction": {"webhook-timestamp": f"{int(AT.timestamp())}.0"},
    "Arabic digits": {"webhook-timestamp": str(int(AT.timestamp())).translate({ord("1"): "١"})},
    "the end of time": {"webhook-timestamp": "9" * 30},
    "negative": {"webhook-timestamp": "-1"},
    "no signature": {"webhook-signature": ""},
    "v1, only": {"webhook-signature": "v1,"},
    "a word": {"webhook-signature": "v1"},
    "not base64": {"webhook-signature": "v1,%%%%"},
    "not even ASCII": {"webhook-signature": "v1,đường"},
    "surrogates": {"webhook-id": "\udc80"},
    "thousands": {"webhook-signature": "v1,QUJD " * 5000},
}


@pytest.mark.parametrize("name", FORGED)
def test_forged(name: str) -> None:
    assert not verify(signed(SECRET) | FORGED[name], BODY, [SECRET], AT)


def test_forged_in_part() -> None:
    headers = signed(SECRET)
    good = headers["webhook-signature"]
    for other in (
        good[:11],
        good[:-2] + ("A" if good[-2] != "A" else "B") + "=",
        f"v2{good[2:]}",
        f"v1a{good[2:]}",
        good[3:],
        f"v1,{good}",
    ):
        assert not verify(headers | {"webhook-signature": other}, BODY, [SECRET], AT), other
    assert not verify(headers, BODY + b" ", [SECRET], AT)
    assert not verify(headers, b"\xff\xfe", [SECRET], AT)
    assert not verify(headers, BODY, [OTHER], AT)


def test_one_good_signature_among_others() -> None:
    headers = signed(SECRET)
    listed = f"v1,bad v2,bad {headers['webhook-signature']} v1,bad"
    assert verify(headers | {"webhook-signature": listed}, BODY, [OTHER, SECRET], AT)


@pytest.mark.parametrize(("seconds", "good"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_five_minutes_either_way(seconds: int, good: bool) -> None:
    at = AT.replace(microsecond=0)
    assert verify(signed(SECRET, at=at), BODY, [SECRET], at + timedelta(seconds=seconds)) is good


def test_secrets_as_other_libraries_write_them() -> None:
    """With and without the prefix, with and without padding."""
    for length in (24, 31, 34, 64):
        padded = b64encode(b"k" * length).decode()
        headers = signed("whsec_" + padded)
        for spelling in (padded, padded.rstrip("="), "whsec_" + padded.rstrip("=")):
            assert signed(spelling) == headers
            assert verify(headers, BODY, [spelling], AT)


def test_the_shared_vectors() -> None:
    vectors: dict[str, Any] = json.loads(shared_path("corpora/standard-webhooks/vectors.json").read_text(encoding="utf-8"))
    assert vectors["tolerance_seconds"] == 300
    assert len(vectors["positive"]) >= 2
    for vector in vectors["positive"]:
        at, body = datetime.fromtimestamp(vector["webhook-timestamp"], UTC), vector["body"].encode()
        headers = signed(vector["secret"], webhook_id=vector["webhook-id"], at=at, body=body)
        assert headers["webhook-signature"] == vector["webhook-signature"]
        assert verify(headers, body, [vector["secret"]], at)
        assert verify(headers, body, [vector["secret"].removeprefix("whsec_").rstrip("=")], at)
        listed = f"v1,bad v2,bad {vector['webhook-signature']} v1,bad"
        assert verify(headers | {"webhook-signature": listed}, body, [vector["secret"]], at)
        cut = vector["webhook-signature"][:8]
        changed = vector["webhook-signature"][:-2] + "A="
        for signature in ("", "v1,", cut, changed, f"v2{vector['webhook-signature'][2:]} v1a{vector['webhook-signature'][2:]} v1,bad"):
            assert not verify(headers | {"webhook-signature": signature}, body, [vector["secret"]], at)
        for missing in headers:
            assert not verify({name: value for name, value in headers.items() if name != missing}, body, [vector["secret"]], at)
        for off in (-301, 301):
            assert not verify(headers, body, [vector["secret"]], at + timedelta(seconds=off))
        assert not verify(headers | {"webhook-timestamp": "hello"}, body, [vector["secret"]], at)
        for secret in ("", "whsec_"):
            assert not verify(headers, body, [secret], at)
