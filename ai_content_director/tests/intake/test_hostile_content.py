"""Content is never a 5xx: whatever a sender writes is taken, quarantined or refused, the books balance, and the door stays open.

Mutated payloads by the thousand are in test_mutations.py.
"""

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import comment, said_on
from tests.intake.captured_logs import captured_logs
from tests.intake.hostile_sender import HostileSender
from tests.intake.mutations import places
from tests.intake.open_door import open_door
from tests.intake.page_deliveries import comment_change, message_to
from tests.intake.strange_bodies import STRANGE_IDS, STRANGE_JSON, STRANGE_TEXTS
from tests.signatures import PLATFORMS

PLACEHOLDER = "Ở đây có một câu khác"
each_platform = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture
def platform() -> str:
    """Of what is said of no platform in particular, the Page has most to show."""
    return "facebook"


@pytest.fixture
async def sender(platform: str, database: DatabaseAddresses, tenant_id: UUID) -> AsyncIterator[HostileSender]:
    """A sender; at the end of the test all is well, and no part of us has stumbled."""
    with captured_logs("WARNING") as logs:
        async with open_door(database.app) as client:
            sender = HostileSender(client, platform, [tenant_id])
            yield sender
            await sender.leaves_all_well(database)
    assert {line["event"] for line in logs.lines} <= {"delivery_refused"}


def message(platform: str, value: bytes) -> bytes:
    """A delivery whose message is this, be it JSON or not."""
    around = said_on(platform, "710020003000", uuid4().hex, PLACEHOLDER)
    if platform != "tiktok":
        return json.dumps(around).encode().replace(json.dumps(PLACEHOLDER).encode(), value)
    content = around["content"].replace(json.dumps(PLACEHOLDER), value.decode("utf-8", "surrogateescape"))
    return json.dumps({**around, "content": content}).encode()


def mock(value: bytes) -> bytes:
    """The same as a mock entry of the runbook."""
    return b'{"object":"page","entry":[{"comment_id":"%s","sender_id":"u1","message":%s}]}' % (uuid4().hex.encode(), value)


@each_platform
async def test_strange_json_as_a_body_and_as_a_message(platform: str, sender: HostileSender) -> None:
    values = [written.encode() for written in STRANGE_JSON]
    await sender.send_all(values)
    await sender.send_all(message(platform, value) for value in values)
    for name in (b"entry", b"content", b"message", b"sender", b"recipient", b"event_name", b"event", b"timestamp"):
        await sender.send_all(b'{"object":"page","%s":%s}' % (name, value) for value in values)


@each_platform
async def test_the_public_json_corpus_as_a_body_and_as_a_message(platform: str, sender: HostileSender, shared: Any) -> None:
    files = sorted((shared / "corpora" / "jsontestsuite").glob("test_*/*.json"))
    assert len(files) > 300
    raws = [file.read_bytes() for file in files]
    whole = await sender.send_all(raws)
    wrapped = await sender.send_all(message(platform, raw) for raw in raws)
    mocked = await sender.send_all(mock(raw) for raw in raws)
    for file, *answers in zip(files, whole, wrapped, mocked, strict=True):
        if file.name.startswith("n_"):
            assert answers[0].status_code == 400, file.name
        if file.name.startswith("y_"):
            assert [answer.status_code for answer in answers[1:]] == [200, 200], file.name


@each_platform
async def test_a_strange_text_as_message_and_as_name(platform: str, sender: HostileSender, tenant_id: UUID) -> None:
    texts = {f"m_{number}": text for number, text in enumerate(STRANGE_TEXTS)}
    told = [said_on(platform, "710020003000", number, text, name=text) for number, text in texts.items()]
    answers = await sender.send_all(json.dumps(body, ensure_ascii=False).encode() for body in told)
    leads = {lead["external_message_id"]: lead for lead in await leads_of(sender, tenant_id)}
    for (number, text), answer in zip(texts.items(), answers, strict=True):
        assert (answer.status_code, answer.json()["created"]) == (200, number in leads), ascii(text[:16])
        assert number in leads or not text.strip(), ascii(text[:16])
        if text.strip():
            assert_said(leads[number], text)
            if platform in ("whatsapp", "tiktok"):  # the others tell no name beside a message
                assert leads[number]["author_name"] == text.replace("\x00", "\u2400")[:512]


async def test_a_strange_text_in_a_mock_entry(sender: HostileSender, tenant_id: UUID) -> None:
    texts = {f"c_{number}": text for number, text in enumerate(STRANGE_TEXTS)}
    answers = await sender.send_all(orjson.dumps(comment(number, text, sender_name=text)) for number, text in texts.items())
    assert {(answer.status_code, answer.json()["created"]) for answer in answers} == {(200, 1)}
    for lead in await leads_of(sender, tenant_id):
        text = texts[lead["external_message_id"]]
        assert_said(lead, text)
        assert lead["author_name"] == (text.replace("\x00", "\u2400")[:512] if text.strip() else None)


def assert_said(lead: dict[str, Any], text: str) -> None:
    assert lead["content_text"] == text.replace("\x00", "\u2400")[:65_536], ascii(text[:16])
    assert (lead["meta"].get("had_nul", False), lead["meta"].get("truncated", False)) == ("\x00" in text, len(text) > 65_536)


async def leads_of(sender: HostileSender, tenant_id: UUID) -> list[dict[str, Any]]:
    """All of them, newest first."""
    leads: list[dict[str, Any]] = []
    while True:
        asked = {"tenant_id": str(tenant_id), "limit": "200", "offset": str(len(leads))}
        listed = (await sender.client.get("/api/leads", params=asked)).json()
        leads += listed["leads"]
        if not listed["leads"]:
            assert len(leads) == listed["total"]
            return leads


@pytest.fixture
def naughty(shared: Any) -> list[str]:
    """Strings that broke other people's programs."""
    strings: list[str] = orjson.loads((shared / "corpora" / "blns" / "blns.json").read_bytes())
    assert len(strings) > 500
    return strings


@each_platform
async def test_the_public_naughty_strings_are_messages_like_any_other(
    platform: str, sender: HostileSender, naughty: list[str], tenant_id: UUID
) -> None:
    said = {f"naughty-{number}": text for number, text in enumerate(naughty) if text.strip()}  # who says nothing is told of elsewhere
    bodies = [json.dumps(said_on(platform, "710020003000", number, text, name=text)).encode() for number, text in said.items()]
    answers = await sender.send_all(bodies)
    assert {(answer.status_code, answer.json()["created"]) for answer in answers} == {(200, 1)}
    leads = await leads_of(sender, tenant_id)
    assert {lead["external_message_id"]: lead["content_text"] for lead in leads} == said
    assert platform not in ("whatsapp", "tiktok") or all(lead["author_name"] == said[lead["external_message_id"]] for lead in leads)


async def test_the_public_naughty_strings_come_back_from_every_field_of_a_mock_entry(
    sender: HostileSender, naughty: list[str], tenant_id: UUID
) -> None:
    entries = [
        comment(f"naughty-{number}", text, sender_name=text, sender_id=text, post_id=text)["entry"][0]
        for number, text in enumerate(naughty)
    ]
    answer = await sender.send(orjson.dumps({"object": "page", "entry": entries}))
    assert (answer.status_code, answer.json()["created"]) == (200, len(naughty))
    came_back = {lead["external_message_id"]: lead for lead in await leads_of(sender, tenant_id)}
    for number, text in enumerate(naughty):
        lead = came_back[f"naughty-{number}"]
        assert lead["content_text"] == text
        assert lead["author_name"] == (text if text.strip() else None)
        assert lead["external_post_id"] == (text if text.strip() else None)


@pytest.mark.parametrize("name", ["comment_id", "post_id", "sender_id", "parent_id"])
async def test_a_strange_id_costs_its_item_at_most(name: str, sender: HostileSender) -> None:
    for strange in STRANGE_IDS:
        entries = [
            comment(uuid4().hex)["entry"][0],
            {**comment(uuid4().hex)["entry"][0], name: strange},
            comment(uuid4().hex)["entry"][0],
        ]
        answer = await sender.send(json.dumps({"object": "page", "entry": entries}).encode())
        assert answer.status_code == 200, answer.text
        assert answer.json()["created"] in (2, 3)


async def test_strange_ids_in_every_place_of_a_page_delivery_at_once(sender: HostileSender) -> None:
    for strange in STRANGE_IDS:
        change, message = comment_change(uuid4().hex, "Cho tôi báo giá"), message_to("1", uuid4().hex, "Còn hàng không?")
        change["value"] |= {"post_id": strange, "parent_id": strange, "from": {"id": strange, "name": strange}, "created_time": strange}
        message |= {"sender": {"id": strange}, "timestamp": strange, "recipient": strange}
        entries = [
            {"id": strange, "time": strange, "changes": [change], "messaging": [message]},
            {"id": "1", "changes": [change], "messaging": [message]},
        ]
        assert (await sender.send(json.dumps({"object": "page", "entry": entries}).encode())).status_code == 200


@each_platform
async def test_a_strange_id_in_each_place_of_a_delivery_by_turns(platform: str, sender: HostileSender) -> None:
    told = said_on(platform, "710020003000", "m_1", "Cho tôi báo giá")
    answers: list[httpx.Response] = await sender.send_all(
        json.dumps(body).encode() for strange in STRANGE_IDS for body in with_each_place_replaced(told, strange)
    )
    assert {answer.status_code for answer in answers} == {200}


def with_each_place_replaced(told: dict[str, Any], strange: Any) -> list[dict[str, Any]]:
    """As many bodies as there are values in it, and in TikTok's words, which are JSON in a text."""
    content = json.loads(told["content"]) if "content" in told else {}
    bodies = []
    for position in range(len(places(told))):
        body = deepcopy(told)
        container, step = places(body)[position]
        container[step] = strange
        bodies.append(body)
    for position in range(len(places(content))):
        inside = deepcopy(content)
        container, step = places(inside)[position]
        container[step] = strange
        bodies.append({**told, "content": json.dumps(inside)})
    return bodies
