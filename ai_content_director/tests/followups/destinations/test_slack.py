"""A Slack-compatible webhook: what people read, what strangers cannot do with it, and what its answers mean."""

import json
import re
from datetime import timedelta

import pytest

from lead_signals.followups.destinations.lead_in_words import lead_in_words
from lead_signals.followups.destinations.slack import slack_text
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.lead_bodies import lead_body
from tests.followups.destinations.raw_receiver import raw_receiver, status

OURS = {"WEBHOOK_ALLOWED_HOSTS": "127.0.0.1"}
READ = """*Khách cần liên hệ ngay: Hỏi giá*
```
Thu Trần (Facebook):
Cho mình hỏi giá tủ bếp gỗ sồi.
Nhà ở quận 3, cần lắp trước Tết.
Điện thoại: +84903000222
Email: thu.tran@\u2060example.vn
```
<https://leads.example.vn/?tenant_id=018f&amp;lead=019a|Mở lead này trong Lead Signals>"""

HOSTILE = [
    "<!channel> <!here> <!everyone> <@U024BE7LH> <#C024BE7LR> <!subteam^SAZ94GDB8>",
    "@channel @here @all @everyone @thu",
    "<https://evil.example|Bấm vào đây> [bấm](https://evil.example) ![x](https://evil.example/x.png)",
    "``` @channel <!channel> ```\n*đậm* _nghiêng_ ~gạch~ > trích",
    "&lt;!channel&gt; &amp;lt;!here&amp;gt;",
    "`\n```\n<!channel>",
    "\u202e@lennahc\u202c \u200b@\u200bhere",
]


async def test_what_people_read(outbound: OpenOutbound) -> None:
    async with raw_receiver(status(200, b"ok")) as channel, outbound(**OURS) as out:
        outcome = await out.slack(f"http://127.0.0.1:{channel.port}/services/T0/B0/x").send("msg_1", lead_body(), at=AT)
    assert (outcome.kind, outcome.http_status, outcome.answer_head) == (OutcomeKind.DELIVERED, 200, b"ok")
    ((line, headers, body),) = channel.requests
    assert (line, headers["content-type"]) == ("POST /services/T0/B0/x HTTP/1.1", "application/json")
    assert json.loads(body) == {"text": READ}


async def test_a_trial_does_not_look_like_a_customer(outbound: OpenOutbound) -> None:
    trial = lead_body(
        author_name="Tin thử Lead Signals", content_text="Đọc được dòng này là đã thông.", phones=(), emails=(), console_url=None
    )
    async with raw_receiver(status(200, b"ok")) as channel, outbound(**OURS) as out:
        await out.slack(f"http://127.0.0.1:{channel.port}/").send("msg_test_1", trial, at=AT)
    ((_, _, body),) = channel.requests
    assert json.loads(body) == {"text": "*Tin thử: không phải khách hàng*\n```\nĐọc được dòng này là đã thông.\n```"}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["author_name", "content_text", "emails", "platform"])
def test_a_stranger_calls_nobody_and_links_nowhere(field: str, text: str) -> None:
    """All of it stands in the one code block; outside there is our own line and our own link, and inside no control of Slack's."""
    differs = {field: (text,) if field == "emails" else text}
    told = slack_text(lead_in_words(lead_body(**differs), "msg_1"))
    before, inside, after = told.split("```")
    assert before == "*Khách cần liên hệ ngay: Hỏi giá*\n"
    assert after == READ.split("```")[2]
    assert not {"<", ">", "`"} & set(inside)
    assert re.search(r"&(?!amp;|lt;|gt;)", inside) is None
    assert re.search(r"@(?!\u2060)", inside) is None


def test_a_lead_without_name_contacts_or_console() -> None:
    told = slack_text(lead_in_words(lead_body(author_name=None, content_text="", phones=(), emails=(), console_url=None), "msg_1"))
    assert told.startswith("*Khách cần liên hệ ngay: Hỏi giá*\n```\nChưa rõ tên (Facebook):\n(Không có chữ nào")
    assert told.endswith("\n```")


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (200, b"ok", "delivered"),
        (404, b"no_team", "give_up"),
        (404, b"", "give_up"),
        (410, b"channel_is_archived", "give_up"),
        (403, b"no_service", "give_up"),
        (400, b"no_service\n", "give_up"),
        (403, b"action_prohibited", "try_again"),
        (400, b"invalid_payload", "try_again"),
        (429, b"", "try_again"),
        (500, b"no_service", "try_again"),
        (500, b"rollup_error", "try_again"),
        (302, b"", "try_again"),
    ],
)
async def test_its_answers(code: int, body: bytes, kind: str, outbound: OpenOutbound) -> None:
    async with raw_receiver(status(code, body, "retry-after: 30")) as channel, outbound(**OURS) as out:
        outcome = await out.slack(f"http://127.0.0.1:{channel.port}/").send("msg_1", lead_body(), at=AT)
    assert (outcome.kind, outcome.http_status) == (kind, code)
    assert outcome.retry_after == (timedelta(seconds=30) if kind == "try_again" else None)


async def test_a_body_that_is_no_follow_up_is_not_sent(outbound: OpenOutbound) -> None:
    async with raw_receiver() as channel, outbound(**OURS) as out:
        outcome = await out.slack(f"http://127.0.0.1:{channel.port}/").send("msg_1", b"[]", at=AT)
    assert (outcome.kind, outcome.error_class, channel.connections) == (OutcomeKind.TRY_AGAIN, "UnreadableBody", 0)
