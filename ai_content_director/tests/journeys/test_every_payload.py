"""Every Page delivery we have, posted to a running server: the leads that should come of it are there to be read, once."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.door import Door
from tests.invariants import assert_nothing_half
from tests.product import Product, product_on

OWN_PAYLOADS = Path(__file__).resolve().parents[1] / "platforms" / "payloads" / "facebook"
CONSERVED = """
    SELECT sum(items_received), sum(items_created), sum(items_updated), sum(items_duplicate), sum(items_ignored), sum(items_quarantined),
      (SELECT count(*) FROM lead_signals), (SELECT count(*) FROM quarantined_items), (SELECT count(*) FROM lead_signals
       WHERE external_message_id IS NULL) FROM receipts"""


Leads = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What should come of one delivery: how many leads; `missing` says what is not among those that were listed (nothing: None)."""

    body: bytes
    leads: int
    missing: Callable[[Leads], object]


@pytest.fixture
def product(fresh_database: DatabaseAddresses, tmp_path: Path) -> Iterator[Product]:
    with product_on(fresh_database, tmp_path) as product:
        yield product


def test_every_public_page_payload_makes_its_leads_once(product: Product, shared: Path) -> None:
    with (shared / "payloads" / "INDEX.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["object"] == "page"]
    assert len(rows) > 140
    deliver_twice(product, {row["file"]: _of_index(row, shared / "payloads" / row["file"]) for row in rows})


def test_every_payload_of_our_own_makes_its_leads_once(product: Product) -> None:
    bodies = [path for path in sorted(OWN_PAYLOADS.glob("*.json")) if not path.name.endswith(".expected.json")]
    assert len(bodies) > 20
    deliver_twice(product, {body.name: _of_own(body) for body in bodies})


def deliver_twice(product: Product, expected: dict[str, Expected]) -> None:
    """Post each to a tenant of its own, compare what is listed, post all again, and count the items."""
    with Door(product.start_api().base_url) as door:
        tenants = {name: door.onboard() for name in expected}
        wrong = {}
        for name, should in expected.items():
            assert deliver(door, tenants[name], should.body) == should.leads, name
            listed = door.leads(tenants[name])
            if len(listed) != should.leads or should.missing(listed):
                wrong[name] = (len(listed), should.missing(listed))
        assert wrong == {}

        first = tuple(product.rows.of(CONSERVED)[0])
        again = {name: deliver(door, tenants[name], should.body) for name, should in expected.items()}
    second = tuple(product.rows.of(CONSERVED)[0])
    without_id = first[8]
    assert sum(again.values()) == without_id, "only a message without an id cannot be told from a new one"
    for received, created, updated, duplicate, ignored, quarantined, leads, in_quarantine, _ in (first, second):
        assert received == created + updated + duplicate + ignored + quarantined
        assert (created, quarantined) == (leads, in_quarantine)
    assert second[0] == 2 * first[0]
    assert second[1] == first[1] + without_id
    assert_nothing_half(product.rows)


def deliver(door: Door, tenant_id: str, body: bytes) -> int:
    """How many leads the delivery created."""
    answer = door.http.post("/webhooks/facebook", content=body, headers={"X-Tenant-ID": tenant_id, "content-type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["created"] == len(answer.json()["lead_ids"])
    return int(answer.json()["created"])


def _of_index(row: dict[str, str], path: Path) -> Expected:
    """The index joins several values by " | ", and leaves out what it does not know."""
    if row["expects_leads"] == "0":  # a row of no lead still names who did what
        return Expected(path.read_bytes(), 0, lambda _: None)

    def missing(leads: Leads) -> object:
        columns = {"author_id": "author_id", "external_id": "external_message_id", "text": "content_text"}
        seen = {cell: Counter(value for lead in leads if (value := _as_the_index_writes(lead)[name])) for cell, name in columns.items()}
        told = {cell: Counter(text for part in row[cell].split(" | ") if (text := part.strip())) for cell in columns}
        return None if seen == told else (seen, told)

    return Expected(path.read_bytes(), int(row["expects_leads"]), missing)


def _as_the_index_writes(lead: dict[str, Any]) -> dict[str, Any]:
    """A tap's own id carries its kind before Meta's `mid`, since other kinds reuse that `mid`."""
    return {**lead, "external_message_id": lead["meta"].get("mid")} if lead["source_type"] == "postback" else lead


def _of_own(path: Path) -> Expected:
    """Our own payloads lie beside the fields worth saying of what an adapter should read in them; one message told twice is one lead."""
    told = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))["signals"]
    first_told: dict[object, dict[str, Any]] = {}
    for position, signal in enumerate(told):
        first_told.setdefault(signal.get("external_message_id") or position, signal)

    def missing(leads: Leads) -> object:
        return [signal for signal in first_told.values() if not any(_is_told_by(lead, signal) for lead in leads)]

    return Expected(path.read_bytes(), len(first_told), missing)


def _is_told_by(lead: dict[str, Any], signal: dict[str, Any]) -> bool:
    return all(lead[name] == value for name, value in signal.items() if name in lead and name != "meta")
