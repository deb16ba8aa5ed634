"""Content is never a 5xx: whatever a sender writes is taken, quarantined or refused, the books balance, and the door stays open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import ONBOARDING, comment
from tests.intake.books import assert_books_balance
from tests.intake.open_door import WEBHOOK, open_door
from tests.intake.page_deliveries import comment_change, message_to
from tests.intake.strange_bodies import STRANGE_IDS, STRANGE_JSON, STRANGE_TEXTS

PAYLOADS = sorted((Path(__file__).parents[1] / "platforms" / "payloads" / "facebook").glob("*[!d].json"))
TAKEN_OR_REFUSED = {200, 400, 413}
fuzzed = settings(
    max_examples=1_000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Sender:
    """Sends to one tenant, and remembers what was answered in a way that content must not be answered."""

    def __init__(self, client: httpx.AsyncClient, tenant_id: UUID) -> None:
        self.client = client
        self._headers = {"X-Tenant-ID": str(tenant_id)}
        self.wrong: list[tuple[int, str, bytes]] = []

    async def send(self, raw: bytes) -> httpx.Response:
        answer = await self.client.post(WEBHOOK, content=raw, headers=self._headers)
        if answer.status_code not in TAKEN_OR_REFUSED:
            self.wrong.append((answer.status_code, answer.text[:200], raw[:500]))
        return answer


@pytest.fixture
async def sender(database: DatabaseAddresses, tenant_id: UUID) -> AsyncIterator[Sender]:
    """A sender; at the end of the test the door is still open, and the books balance."""
    async with open_door(database.app) as client:
        sender = Sender(client, tenant_id)
        yield sender
        await assert_well(sender, database, tenant_id)


async def assert_well(sender: Sender, database: DatabaseAddresses, tenant_id: UUID) -> None:
    """Nothing was answered wrongly, the door is still open, and the books balance."""
    assert sender.wrong == []
    afterwards = await sender.send(orjson.dumps(comment(uuid4().hex)))
    assert (afterwards.status_code, afterwards.json()["created"]) == (200, 1)
    await assert_books_balance(database.owner, tenant_id)


def with_message(value: bytes) -> bytes:
    """A delivery whose message is this, be it JSON or not."""
    return b'{"object":"page","entry":[{"comment_id":"%s","sender_id":"u1","message":%s}]}' % (uuid4().hex.encode(), value)


async def test_strange_json_as_a_body_and_as_a_message(sender: Sender) -> None:
    for written in STRANGE_JSON:
        for raw in (written.encode(), with_message(written.encode()), b'{"object":"page","entry":' + written.encode() + b"}"):
            await sender.send(raw)


async def test_the_public_json_corpus_as_a_body_and_as_a_message(sender: Sender, shared: Path) -> None:
    files = sorted((shared / "corpora" / "jsontestsuite").glob("test_*/*.json"))
    assert len(files) > 300
    for file in files:
        raw = file.read_bytes()
        whole = await sender.send(raw)
        wrapped = await sender.send(with_message(raw))
        if file.name.startswith("n_"):
            assert whole.status_code == 400, file.name
        if file.name.startswith("y_"):
            assert wrapped.status_code == 200, file.name


@pytest.mark.parametrize("text", STRANGE_TEXTS, ids=lambda text: ascii(text[:16]))
async def test_a_strange_text_as_message_and_as_name(text: str, sender: Sender, tenant_id: UUID) -> None:
    answer = await sender.send(orjson.dumps(comment(uuid4().hex, text, sender_name=text)))
    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    (lead,) = (await sender.client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    assert lead["content_text"] == text.replace("\x00", "\u2400")[:65_536]
    assert lead["author_name"] == (text.replace("\x00", "\u2400")[:512] if text.strip() else None)
    assert (lead["meta"].get("had_nul", False), lead["meta"].get("truncated", False)) == ("\x00" in text, len(text) > 65_536)


async def test_the_public_naughty_strings_come_back_as_they_were_written(sender: Sender, shared: Path, tenant_id: UUID) -> None:
    strings = orjson.loads((shared / "corpora" / "blns" / "blns.json").read_bytes())
    assert len(strings) > 500
    entries = [
        comment(f"naughty-{number}", text, sender_name=text, sender_id=text, post_id=text)["entry"][0]
        for number, text in enumerate(strings)
    ]
    answer = await sender.send(orjson.dumps({"object": "page", "entry": entries}))
    assert (answer.status_code, answer.json()["created"]) == (200, len(strings))
    came_back: dict[str, dict[str, Any]] = {}
    for offset in range(0, len(strings), 200):
        listed = await sender.client.get("/api/leads", params={"tenant_id": str(tenant_id), "limit": 200, "offset": offset})
        came_back |= {lead["external_message_id"]: lead for lead in listed.json()["leads"]}
    for number, text in enumerate(strings):
        lead = came_back[f"naughty-{number}"]
        assert lead["content_text"] == text
        assert lead["author_name"] == (text if text.strip() else None)
        assert lead["external_post_id"] == (text if text.strip() else None)


@pytest.mark.parametrize("name", ["comment_id", "post_id", "sender_id", "parent_id"])
async def test_a_strange_id_costs_its_item_at_most(name: str, sender: Sender) -> None:
    for strange in STRANGE_IDS:
        entries = [
            comment(uuid4().hex)["entry"][0],
            {**comment(uuid4().hex)["entry"][0], name: encodable(strange)},
            comment(uuid4().hex)["entry"][0],
        ]
        answer = await sender.send(orjson.dumps({"object": "page", "entry": entries}))
        assert answer.status_code == 200, answer.text
        assert answer.json()["created"] in (2, 3)


async def test_strange_ids_in_every_place_of_a_real_delivery(sender: Sender) -> None:
    for strange in map(encodable, STRANGE_IDS):
        change, message = comment_change(uuid4().hex, "Cho tôi báo giá"), message_to("1", uuid4().hex, "Còn hàng không?")
        change["value"] |= {"post_id": strange, "parent_id": strange, "from": {"id": strange, "name": strange}, "created_time": strange}
        message |= {"sender": {"id": strange}, "timestamp": strange, "recipient": strange}
        entries = [
            {"id": strange, "time": strange, "changes": [change], "messaging": [message]},
            {"id": "1", "changes": [change], "messaging": [message]},
        ]
        assert (await sender.send(orjson.dumps({"object": "page", "entry": entries}))).status_code == 200


def encodable(value: Any) -> Any:
    """Numbers beyond 64 bits as the digits a sender would write."""
    return orjson.Fragment(str(value)) if isinstance(value, int) and not isinstance(value, bool) and value >= 2**64 else value


MANGLED = st.binary(max_size=6) | st.sampled_from(
    [b'"', b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\\u0000", b"\\ud800", b"1e999"]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    LEAVES | st.sampled_from(["a\x00b", "x" * 600, "\u202e", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture
def send_now(database: DatabaseAddresses) -> Iterator[Callable[[bytes], httpx.Response]]:
    """Sends at once, for tests that run many examples inside one call: one event loop and one open door serve them all."""
    with asyncio.Runner() as runner:
        door = open_door(database.app)
        client = runner.run(door.__aenter__())
        tenant_id = UUID(runner.run(client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"])
        sender = Sender(client, tenant_id)
        yield lambda raw: runner.run(sender.send(raw))
        runner.run(assert_well(sender, database, tenant_id))
        runner.run(door.__aexit__(None, None, None))


@fuzzed
@given(data=st.data())
def test_mutated_payloads_by_value(send_now: Callable[[bytes], httpx.Response], data: st.DataObject) -> None:
    body = orjson.loads(data.draw(st.sampled_from(PAYLOADS)).read_bytes().removeprefix(b"\xef\xbb\xbf"))
    for _ in range(data.draw(st.integers(1, 3))):
        place, step = data.draw(st.sampled_from(places(body)))
        place[step] = data.draw(VALUES)
    answer = send_now(orjson.dumps(body))
    assert answer.status_code in TAKEN_OR_REFUSED, answer.text


@settings(fuzzed, max_examples=2_000)
@given(data=st.data())
def test_mutated_payloads_by_byte(send_now: Callable[[bytes], httpx.Response], data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(PAYLOADS)).read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw)))
        raw = raw[:start] + data.draw(MANGLED) + raw[start + data.draw(st.integers(0, 4)) :]
    answer = send_now(raw)
    assert answer.status_code in TAKEN_OR_REFUSED, answer.text


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every `(container, key)` in a body, so that `container[key]` can be replaced."""
    steps = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [*((value, key) for key, _ in steps), *(found for _, child in steps for found in places(child))]
