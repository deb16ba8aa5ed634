"""What each owner keeps of a delivery to several accounts: all that was said to the owner's accounts, and not a word to another's."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from lead_signals.json_body import parse_json_body
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.catalogue import ADAPTERS
from tests.platforms.adapter_conformance import NOW, PAYLOADS

OURS, THEIRS = "17841400000000701", "17841400000000702"
FILES = [
    (platform, path)
    for platform in ("facebook", "instagram")
    for path in sorted((PAYLOADS / platform).glob("*.json"))
    if not path.name.endswith(".expected.json")
]


@pytest.mark.parametrize(("platform", "path"), FILES, ids=[f"{platform}-{path.stem}" for platform, path in FILES])
def test_an_excerpt_says_what_its_owners_part_of_the_reading_says(platform: str, path: Path) -> None:
    raw = path.read_bytes()
    _assert_excerpts_say_their_parts(ADAPTERS[platform], parse_json_body(raw))
    # The same delivery with a second one to other accounts in it, and with entries that forgot whose they are.
    body = parse_json_body(raw)
    entries = body.get("entry")
    if isinstance(entries, list):
        foreign = {**_event("m_other", "GAMMA", THEIRS), "x": 1}
        nameless = [{key: value for key, value in entry.items() if key != "id"} for entry in entries if isinstance(entry, dict)]
        _assert_excerpts_say_their_parts(ADAPTERS[platform], {**body, "entry": [*entries, *nameless, {"messaging": [foreign]}]})


def _assert_excerpts_say_their_parts(adapter: Adapter, body: dict[str, Any]) -> None:
    assert adapter.excerpts is not None
    reading = adapter.read_signals(body, NOW)
    excerpts = adapter.excerpts(body, {channel: channel or "nobody" for channel in reading.channels})
    for channel in reading.channels:
        kept, part = adapter.read_signals(parse_json_body(excerpts[channel or "nobody"]), NOW), reading.for_channels([channel])
        # By content: an excerpt takes an entry apart and may list its items in another order.
        assert sorted(map(repr, kept.signals)) == sorted(map(repr, part.signals))
        assert sorted(map(repr, kept.changes)) == sorted(map(repr, part.changes))


def _event(mid: str, text: str, recipient: str) -> dict[str, Any]:
    return {"sender": {"id": "5"}, "recipient": {"id": recipient}, "timestamp": 1_795_260_000_000, "message": {"mid": mid, "text": text}}


@pytest.mark.parametrize("name", ["messaging", "standby", "changes", "flat"])
def test_entries_without_an_id_are_parted_by_whom_each_event_was_sent_to(name: str) -> None:
    def entry(*events: dict[str, Any]) -> list[dict[str, Any]]:
        changes = [{"field": "messages", "value": event} for event in events]
        return changes if name == "flat" else [{name: changes if name == "changes" else list(events)}]

    body = {"object": "instagram", "entry": entry(_event("m_1", "ALPHA", OURS), _event("m_2", "BETA", THEIRS))}
    adapter = ADAPTERS["instagram"]
    assert adapter.excerpts is not None
    excerpts = adapter.excerpts(body, {OURS: "a", THEIRS: "b"})
    assert (b"ALPHA" in excerpts["a"], b"BETA" in excerpts["a"]) == (True, False)
    assert (b"ALPHA" in excerpts["b"], b"BETA" in excerpts["b"]) == (False, True)


def test_each_part_of_an_entry_keeps_the_time_of_sending_and_no_essay_in_its_place() -> None:
    adapter = ADAPTERS["instagram"]
    assert adapter.excerpts is not None
    for time, kept in ((1_795_260_005, True), ("2026-11-21T11:20:05+0000", True), ("x" * 500_000, False)):
        entry = {"time": time, "messaging": [_event("m_1", "ALPHA", OURS), _event("m_2", "BETA", THEIRS)]}
        excerpts = adapter.excerpts({"object": "instagram", "entry": [entry]}, {OURS: "a", THEIRS: "b"})
        assert [orjson.loads(excerpt)["entry"][0].get("time") for excerpt in excerpts.values()] == [time if kept else None] * 2


def test_a_flat_entry_goes_to_the_account_that_it_names() -> None:
    entries = [
        {"id": owner, "field": "comments", "value": {"id": text, "text": text}} for owner, text in ((OURS, "ALPHA"), (THEIRS, "BETA"))
    ]
    adapter = ADAPTERS["instagram"]
    assert adapter.excerpts is not None
    excerpts = adapter.excerpts({"object": "instagram", "entry": entries, "relay": "OMEGA"}, {OURS: "a", THEIRS: "b"})
    assert orjson.loads(excerpts["a"]) == {"object": "instagram", "entry": entries[:1]}
    assert orjson.loads(excerpts["b"]) == {"object": "instagram", "entry": entries[1:]}


def test_a_lead_form_of_an_entry_without_an_id_goes_to_the_page_it_names() -> None:
    changes = [{"field": "leadgen", "value": {"leadgen_id": form, "page_id": page}} for form, page in (("71", OURS), ("72", THEIRS))]
    adapter = ADAPTERS["facebook"]
    assert adapter.excerpts is not None
    excerpts = adapter.excerpts({"object": "page", "entry": [{"changes": changes}]}, {OURS: "a", THEIRS: "b"})
    assert [orjson.loads(excerpts[owner])["entry"] for owner in ("a", "b")] == [[{"changes": changes[:1]}], [{"changes": changes[1:]}]]
