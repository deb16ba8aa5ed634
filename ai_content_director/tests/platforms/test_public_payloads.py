"""Real deliveries published by others, read where they lie, against the index that says how many leads each should make."""

import csv
import json
from collections import Counter
from collections.abc import Callable

import pytest

from lead_signals.json_body import parse_json_body
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.inbound_signal import InboundSignal, Reading
from tests.platforms.adapter_conformance import NOW
from tests.platforms.shared_material import SHARED, shared_path

_INDEX = SHARED / "payloads" / "INDEX.csv"
_PLATFORM_OF_PREFIX = {"ig": "instagram", "wa": "whatsapp", "zalo": "zalo", "tiktok": "tiktok"}


def indexed_rows() -> list[dict[str, str]]:
    if not _INDEX.exists():
        return [{"file": "INDEX.csv"}]  # one row, which is skipped with its reason
    with _INDEX.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


ROWS = indexed_rows()


def platform_of(row: dict[str, str]) -> str:
    return _PLATFORM_OF_PREFIX.get(row["file"].partition("-")[0], "facebook")


def test_the_index_of_public_payloads_was_found() -> None:
    shared_path("payloads/INDEX.csv")
    assert len(ROWS) > 220
    assert {platform_of(row) for row in ROWS} == {"facebook", *_PLATFORM_OF_PREFIX.values()}


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_public_payload_makes_the_leads_of_its_row(row: dict[str, str]) -> None:
    raw = shared_path(f"payloads/{row['file']}").read_bytes()
    reading = ADAPTERS[platform_of(row)].read_signals(parse_json_body(raw), NOW)
    said = _without_repetitions(reading)
    assert bool(reading.quarantined) == row["file"].startswith(_QUARANTINED_INSTEAD_OF_IGNORED), reading.quarantined
    assert len(said) == int(row["expects_leads"]), (reading.ignored, reading.quarantined)
    if not said:
        return
    assert _column(said, lambda signal: signal.author_id) == _expected(row["author_id"])
    assert _column(said, lambda signal: signal.author_name) == _expected(row["author_name"])
    assert _column(said, _id_given_by_the_platform) == _expected(row["external_id"])
    assert _column(said, lambda signal: signal.content_text) == _expected(row["text"])


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_public_payload_reads_the_same_when_it_is_escaped(row: dict[str, str]) -> None:
    raw = shared_path(f"payloads/{row['file']}").read_bytes()
    escaped = json.dumps(json.loads(raw), ensure_ascii=True).encode()
    assert escaped.isascii()
    adapter = ADAPTERS[platform_of(row)]
    assert adapter.read_signals(parse_json_body(escaped), NOW) == adapter.read_signals(parse_json_body(raw), NOW)


# Rows of no lead whose item cannot be trusted, rather than being understood as nobody speaking: no sender at all, two accounts
# in one event, a feed value that says nothing.
_QUARANTINED_INSTEAD_OF_IGNORED = (
    "message-sender-id-null",
    "messenger-different-page",
    "leadgen-batch-mixed",
    "ig-different-page",
    "wa-no-from",
    "zalo-sender-empty",
)


def _without_repetitions(reading: Reading) -> list[InboundSignal]:
    """What is left after the unique index: one signal of each external_message_id, and all that have none."""
    known: dict[object, InboundSignal] = {}
    for position, signal in enumerate(reading.signals):
        known.setdefault(signal.external_message_id or position, signal)
    return list(known.values())


def _id_given_by_the_platform(signal: InboundSignal) -> str | None:
    """As the index writes it. A tap's own id carries its kind before the platform's, since other kinds reuse that one."""
    if signal.source_type == "postback":
        mid = signal.meta.get("mid")
        return mid if isinstance(mid, str) else None
    return signal.external_message_id


def _column(signals: list[InboundSignal], read: Callable[[InboundSignal], str | None]) -> Counter[str]:
    return Counter(text for signal in signals if (text := read(signal)))


def _expected(cell: str) -> Counter[str]:
    return Counter(text for part in cell.split(" | ") if (text := part.strip()))
