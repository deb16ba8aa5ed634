"""What every adapter must do. A new platform inherits this in three lines and brings its own payload files.

A payload `name.json` lies beside `name.expected.json`: the signals in order (the fields worth saying), the changes in order
(likewise; none where `changes` is left out), the ignored reasons and the quarantined `{reason, where}`. Together they must
account for every item, no more and no fewer.
"""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lead_signals.json_body import JsonValue, parse_json_body
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.external_id import LONGEST_ID_CHARACTERS
from lead_signals.platforms.inbound_signal import (
    ChangeKind,
    IgnoredItem,
    InboundChange,
    InboundSignal,
    QuarantinedItem,
    Reading,
    SourceType,
)
from lead_signals.platforms.signature_verdict import SignatureVerdict
from lead_signals.platforms.spoken_text import LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS

PAYLOADS = Path(__file__).parent / "payloads"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
STRANGE_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | st.sampled_from(["", "0", "x" * 600, "a\x00b", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
fuzzed = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow]
)


class AdapterConformance:
    """Inherit as `Test…` and name the adapter, its folder of payloads, and how its platform signs `(raw_body, secret)`."""

    adapter: ClassVar[Adapter]
    payload_folder: ClassVar[str]
    sign: ClassVar[Callable[[bytes, bytes], list[tuple[bytes, bytes]]]]
    item_lists: ClassVar[frozenset[str]] = frozenset({"entry", "changes", "messaging", "standby"})
    """Names of the lists whose elements are items, rather than parts of one item (attachments, answers of a form)."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "payload" in metafunc.fixturenames:
            payloads = self.payloads()
            metafunc.parametrize("payload", payloads, ids=[path.stem for path in payloads])

    def payloads(self) -> list[Path]:
        found = [path for path in sorted((PAYLOADS / self.payload_folder).glob("*.json")) if not path.name.endswith(".expected.json")]
        assert found, f"no payload file in {self.payload_folder}: a suite over nothing proves nothing"
        return found

    def read(self, body: Any) -> Reading:
        reading = self.adapter.read_signals(body, NOW)
        found = reading.items_received
        assert not self.adapter.holds_more_items_than(body, found)
        assert found == 0 or self.adapter.holds_more_items_than(body, found - 1)
        return reading

    # What a payload says

    def test_payload_reads_as_expected(self, payload: Path) -> None:
        expected = json.loads(payload.with_suffix(".expected.json").read_text(encoding="utf-8"))
        reading = self.read(parse_json_body(payload.read_bytes()))
        said = [
            {name: _comparable(getattr(signal, name)) for name in wanted}
            for signal, wanted in zip(reading.signals, expected["signals"], strict=True)
        ]
        assert said == expected["signals"]
        changed = [
            {name: _comparable(getattr(change, name)) for name in wanted}
            for change, wanted in zip(reading.changes, expected.get("changes", []), strict=True)
        ]
        assert changed == expected.get("changes", [])
        assert [item.reason for item in reading.ignored] == expected["ignored"]
        assert [{"reason": item.reason, "where": item.where} for item in reading.quarantined] == expected["quarantined"]
        self.check(reading)

    def test_every_source_subtype_and_reason_is_shown_by_a_payload(self) -> None:
        readings = [self.read(parse_json_body(payload.read_bytes())) for payload in self.payloads()]
        assert {s.source_subtype for reading in readings for s in reading.signals} == self.adapter.source_subtypes
        assert {i.reason for reading in readings for i in reading.ignored} == self.adapter.ignored_reasons
        assert {q.reason for reading in readings for q in reading.quarantined} == self.adapter.quarantine_reasons - {"reader_failed"}

    def test_reading_changes_nothing_and_is_repeatable(self, payload: Path) -> None:
        body = parse_json_body(payload.read_bytes())
        before = copy.deepcopy(body)
        assert self.read(body) == self.read(body)
        assert body == before

    # Whatever comes

    @fuzzed
    @given(body=st.dictionaries(TEXTS, STRANGE_VALUES, max_size=4))
    def test_any_object_is_read_without_an_error(self, body: dict[str, Any]) -> None:
        self.check(self.read(body))

    @fuzzed
    @given(data=st.data())
    def test_a_payload_with_one_value_replaced_is_read_without_an_error(self, data: st.DataObject) -> None:
        body = parse_json_body(data.draw(st.sampled_from(self.payloads())).read_bytes())
        self.check(self.read(_replaced(body, data.draw(st.sampled_from(_paths(body))), data.draw(STRANGE_VALUES))))

    @fuzzed
    @given(data=st.data())
    def test_strange_neighbours_cost_no_signal(self, data: st.DataObject) -> None:
        body = parse_json_body(data.draw(st.sampled_from(self.payloads())).read_bytes())
        lists = [path for path in _paths(body) if path and isinstance(_at(body, path), list) and path[-1] in self.item_lists]
        if not lists:
            return
        path = data.draw(st.sampled_from(lists))
        items = _at(body, path)
        position = data.draw(st.integers(0, len(items)))
        stranger = data.draw(st.booleans() | NUMBERS | TEXTS | st.lists(st.none(), max_size=2))
        before, after = self.read(body), self.read(_replaced(body, path, [*items[:position], stranger, *items[position:]]))
        assert (after.signals, after.changes) == (before.signals, before.changes)
        self.check(after)

    # What a reading promises

    def check(self, reading: Reading) -> None:
        for item in (*reading.signals, *reading.changes, *reading.ignored, *reading.quarantined):
            match item:
                case InboundSignal():
                    self._check_signal(item)
                case InboundChange():
                    self._check_change(item)
                case IgnoredItem():
                    assert item.reason in self.adapter.ignored_reasons
                case QuarantinedItem():
                    assert item.reason in self.adapter.quarantine_reasons
                    assert item.reason != "reader_failed", f"the reader stumbled: {item.where}"
                    assert item.where
        self._check_parts(reading)

    def _check_parts(self, reading: Reading) -> None:
        parts = [reading.for_channels([channel]) for channel in reading.channels]
        assert reading.for_channels(reading.channels) == reading
        assert len(set(reading.channels)) == len(reading.channels)
        assert sum(part.items_received for part in parts) == reading.items_received
        assert reading.items_received == sum(map(len, (reading.signals, reading.changes, reading.ignored, reading.quarantined)))

    def _check_signal(self, signal: InboundSignal) -> None:
        assert signal.platform == self.adapter.platform
        assert signal.source_type in set(SourceType)
        assert signal.source_subtype in self.adapter.source_subtypes
        self._check_ids(signal, "channel_external_id", "external_message_id", "external_post_id", "external_thread_id", "author_id")
        assert signal.author_name is None or 0 < len(signal.author_name) <= LONGEST_NAME_CHARACTERS
        assert "\x00" not in (signal.author_name or "")
        assert isinstance(signal.content_text, str)
        assert "\x00" not in signal.content_text
        assert len(signal.content_text) <= LONGEST_TEXT_CHARACTERS
        assert signal.permalink_url is None or signal.permalink_url.startswith("https://")
        if signal.said_at is not None:
            assert datetime(2004, 1, 1, tzinfo=UTC) <= signal.said_at <= NOW + timedelta(days=1)
        stored_meta = orjson.dumps(dict(signal.meta))
        assert b"\\u0000" not in stored_meta
        assert len(stored_meta) < 1_000_000

    def _check_change(self, change: InboundChange) -> None:
        assert change.platform == self.adapter.platform
        self._check_ids(change, "channel_external_id", "external_message_id")
        assert change.external_message_id
        assert (change.content_text is not None) == (change.kind is ChangeKind.EDITED)
        assert "\x00" not in (change.content_text or "")
        assert len(change.content_text or "") <= LONGEST_TEXT_CHARACTERS
        assert 0 <= change.sequence <= 1_000_000
        assert change.changed_at is None or datetime(2004, 1, 1, tzinfo=UTC) <= change.changed_at <= NOW + timedelta(days=1)

    def _check_ids(self, item: InboundSignal | InboundChange, *names: str) -> None:
        for name in names:
            value = getattr(item, name)
            assert value is None or (isinstance(value, str) and 0 < len(value) <= LONGEST_ID_CHARACTERS and "\x00" not in value), name

    # Who speaks

    def test_signature_over_the_raw_bytes_is_valid(self, payload: Path) -> None:
        raw = payload.read_bytes()
        assert self.verdict(self.sign(raw, b"mot-bi-mat"), raw, [b"mot-bi-mat"]) is SignatureVerdict.VALID

    def test_one_changed_byte_is_a_mismatch(self, payload: Path) -> None:
        raw = payload.read_bytes()
        changed = bytes([*raw[:-2], raw[-2] ^ 1, raw[-1]])
        assert self.verdict(self.sign(raw, b"mot-bi-mat"), changed, [b"mot-bi-mat"]) is SignatureVerdict.MISMATCH

    def test_any_of_several_secrets_is_enough_and_a_foreign_one_is_not(self) -> None:
        raw = self.payloads()[0].read_bytes()
        signed = self.sign(raw, b"moi")
        assert self.verdict(signed, raw, [b"cu", b"moi"]) is SignatureVerdict.VALID
        assert self.verdict(signed, raw, [b"moi", b"cu"]) is SignatureVerdict.VALID
        assert self.verdict(signed, raw, [b"cu", b"la"]) is SignatureVerdict.MISMATCH

    def test_no_secret_and_an_empty_secret_are_closed(self) -> None:
        raw = self.payloads()[0].read_bytes()
        assert self.verdict(self.sign(raw, b"moi"), raw, []) is not SignatureVerdict.VALID
        assert self.verdict(self.sign(raw, b""), raw, [b""]) is not SignatureVerdict.VALID

    def test_no_signature_is_missing(self) -> None:
        assert self.verdict([(b"content-type", b"application/json")], b"{}", [b"moi"]) is SignatureVerdict.MISSING

    @fuzzed
    @given(value=st.binary(max_size=90))
    def test_any_header_value_is_judged_without_an_error(self, value: bytes) -> None:
        signed = self.sign(b"{}", b"moi")
        strange = [(name, value) for name, _ in signed]
        assert self.verdict(strange, b"{}", [b"moi"]) is not SignatureVerdict.VALID

    def verdict(self, headers: list[tuple[bytes, bytes]], raw: bytes, secrets: list[bytes]) -> SignatureVerdict:
        return self.adapter.verify(headers, raw, secrets, NOW)


BodyPath = tuple[str | int, ...]


def _comparable(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, dict) else value


def _paths(value: JsonValue, at: BodyPath = ()) -> list[BodyPath]:
    inner: list[tuple[str | int, JsonValue]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [*([at] if at else []), *(path for key, child in inner for path in _paths(child, (*at, key)))]


def _at(value: Any, path: BodyPath) -> Any:
    for step in path:
        value = value[step]
    return value


def _replaced(body: Any, path: BodyPath, value: Any) -> Any:
    changed = copy.deepcopy(body)
    _at(changed, path[:-1])[path[-1]] = value
    return changed
