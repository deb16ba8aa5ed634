"""A webhook: what it is told, how it proves that we said it, and what its answers mean."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from lead_signals.followups.destinations.http_post import ANSWER_KEPT_BYTES
from lead_signals.followups.destinations.webhook_signature import UnusableSecretError
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.raw_receiver import raw_receiver, says, status

OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 8
BODY = '{"tenant_id":"t","content_text":"Cho tôi báo giá"}'.encode()


async def test_what_it_hears(outbound: OpenOutbound) -> None:
    now = datetime.now(UTC)
    async with raw_receiver() as receiver, outbound() as out:
        hook = out.webhook(f"http://127.0.0.1:{receiver.port}/webhook/lead?a=%2F", [NEW, OLD], trusted=True)
        for at in (now, now + timedelta(seconds=2)):
            assert (await hook.send("msg_1", BODY, at=at)).kind is OutcomeKind.DELIVERED
    (line, first, body), (_, second, again) = receiver.requests
    assert (line, body, again) == ("POST /webhook/lead?a=%2F HTTP/1.1", BODY, BODY)
    assert (first["content-type"], first["accept-encoding"], first["content-length"]) == ("application/json", "identity", str(len(BODY)))
    assert first["webhook-id"] == first["idempotency-key"] == second["webhook-id"] == "msg_1"
    assert [headers["webhook-timestamp"] for headers in (first, second)] == [str(int(now.timestamp())), str(int(now.timestamp()) + 2)]
    assert first["webhook-signature"] != second["webhook-signature"]
    for headers in (first, second):
        for secret in (OLD, NEW):
            Webhook(secret).verify(body, headers)


async def test_without_a_secret_it_is_not_signed(outbound: OpenOutbound) -> None:
    async with raw_receiver() as receiver, outbound() as out:
        await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
    assert "webhook-signature" not in receiver.requests[0][1]


async def test_an_unusable_secret_is_told_when_the_endpoint_is_made(outbound: OpenOutbound) -> None:
    async with outbound() as out:
        with pytest.raises(UnusableSecretError):
            out.webhook("https://hook.example.vn/", ["whsec_"], trusted=False)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, "delivered") for code in (200, 201, 204, 299)),
        *((code, "try_again") for code in (300, 400, 401, 404, 429, 500, 503, 999)),
        (410, "give_up"),
    ],
)
async def test_the_status_line_decides(code: int, kind: str, outbound: OpenOutbound) -> None:
    async with raw_receiver(says(f"HTTP/1.1 {code} Because\r\ncontent-length: 0\r\n\r\n".encode())) as receiver, outbound() as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
    assert (outcome.kind, outcome.http_status) == (kind, code)
    assert outcome.error_class == (None if kind == "delivered" else f"HTTP{code}")


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("Fri, 20 Nov 2026 08:31:00 GMT", timedelta(minutes=1)),
        ("1000000000000000000", timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("\xff\xfe", None),
    ],
)
@pytest.mark.parametrize("code", [429, 503, 500])
async def test_it_says_how_long_to_stay_away(code: int, written: str, wait: timedelta | None, outbound: OpenOutbound) -> None:
    raw = f"HTTP/1.1 {code} Busy\r\nretry-after: {written}\r\ncontent-length: 0\r\n\r\n".encode("latin-1")
    async with raw_receiver(says(raw)) as receiver, outbound() as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.TRY_AGAIN, wait)


async def test_who_takes_it_or_is_gone_asks_for_no_wait(outbound: OpenOutbound) -> None:
    for code in (200, 410):
        async with raw_receiver(status(code, b"", "retry-after: 30")) as receiver, outbound() as out:
            outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
        assert outcome.retry_after is None


async def test_two_kilobytes_of_an_answer_are_kept_and_the_connection_goes_on(outbound: OpenOutbound) -> None:
    answer = bytes(range(256)) * 32
    async with raw_receiver(status(200, answer)) as receiver, outbound() as out:
        hook = out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True)
        outcomes = [await hook.send("msg_1", BODY, at=AT) for _ in range(3)]
    assert {outcome.answer_head for outcome in outcomes} == {answer[:ANSWER_KEPT_BYTES]}
    assert (receiver.connections, len(receiver.requests)) == (1, 3)


async def test_the_operators_address_may_hold_a_login(outbound: OpenOutbound) -> None:
    """n8n's webhook node can ask for one."""
    async with raw_receiver() as receiver, outbound() as out:
        hook = out.webhook(f"http://lead:p%40ss@127.0.0.1:{receiver.port}/hook", (), trusted=True)
        assert (await hook.send("msg_1", BODY, at=AT)).kind is OutcomeKind.DELIVERED
    ((line, headers, _),) = receiver.requests
    assert (line, headers["authorization"]) == ("POST /hook HTTP/1.1", "Basic " + b64encode(b"lead:p@ss").decode())
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
