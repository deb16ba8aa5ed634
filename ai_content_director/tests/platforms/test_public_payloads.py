"""Real Page deliveries published by others, read where they lie, against the index that says how many leads each should make."""

import csv
from collections import Counter
from collections.abc import Callable

import pytest

from lead_signals.json_body import parse_json_body
from lead_signals.platforms.inbound_signal import InboundSignal, Reading
from lead_signals.platforms.meta.page import read_signals
from tests.platforms.adapter_conformance import NOW
from tests.platforms.shared_material import SHARED, shared_path

_OTHER_PLATFORMS = ("ig-", "wa-", "zalo-", "tiktok-")
_INDEX = SHARED / "payloads" / "INDEX.csv"


def page_rows() -> list[dict[str, str]]:
    if not _INDEX.exists():
        return [{"file": "INDEX.csv"}]  # one row, which is skipped with its reason
    with _INDEX.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if not row["file"].startswith(_OTHER_PLATFORMS)]


ROWS = page_rows()


def test_the_index_of_public_payloads_was_found() -> None:
    shared_path("payloads/INDEX.csv")
    assert len(ROWS) > 140


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_public_payload_makes_the_leads_of_its_row(row: dict[str, str]) -> None:
    reading = read_signals(parse_json_body(shared_path(f"payloads/{row['file']}").read_bytes()), NOW)
    said = _without_repetitions(reading)
    assert reading.quarantined == () or row["file"].startswith(_QUARANTINED_INSTEAD_OF_IGNORED), reading.quarantined
    assert len(said) == int(row["expects_leads"]), (reading.ignored, reading.quarantined)
    if not said:
        return
    assert _column(said, lambda signal: signal.author_id) == _expected(row["author_id"])
    assert _column(said, lambda signal: signal.author_name) == _expected(row["author_name"])
    assert _column(said, _id_given_by_meta) == _expected(row["external_id"])
    assert _column(said, lambda signal: signal.content_text) == _expected(row["text"])


# Rows of no lead whose item cannot be trusted, rather than being understood as nobody speaking: no sender at all, two Pages
# in one event, a feed value that says nothing.
_QUARANTINED_INSTEAD_OF_IGNORED = ("message-sender-id-null", "messenger-different-page", "leadgen-batch-mixed")


def _without_repetitions(reading: Reading) -> list[InboundSignal]:
    """What is left after the unique index: one signal of each external_message_id, and all that have none."""
    known: dict[object, InboundSignal] = {}
    for position, signal in enumerate(reading.signals):
        known.setdefault(signal.external_message_id or position, signal)
    return list(known.values())


def _id_given_by_meta(signal: InboundSignal) -> str | None:
    """As the index writes it. A tap's own id carries its kind before Meta's `mid`, since other kinds reuse that `mid`."""
    if signal.source_type == "postback":
        mid = signal.meta.get("mid")
        return mid if isinstance(mid, str) else None
    return signal.external_message_id


def _column(signals: list[InboundSignal], read: Callable[[InboundSignal], str | None]) -> Counter[str]:
    return Counter(text for signal in signals if (text := read(signal)))


def _expected(cell: str) -> Counter[str]:
    return Counter(text for part in cell.split(" | ") if (text := part.strip()))
