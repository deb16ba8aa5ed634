"""The books of the door: what every receipt counted is there, neither more nor less."""

from uuid import UUID

from tests.intake.open_door import fetch

# One row for each receipt whose counts and rows disagree. The CHECK in the table guards the sum, this guards each part of it.
UNBALANCED = """
    SELECT r.id FROM receipts r
    LEFT JOIN (SELECT receipt_id, count(*) FROM lead_signals WHERE tenant_id = $1 GROUP BY 1) l ON l.receipt_id = r.id
    LEFT JOIN (SELECT receipt_id, count(*) FROM quarantined_items WHERE tenant_id = $1 GROUP BY 1) q ON q.receipt_id = r.id
    WHERE r.tenant_id = $1 AND (
        r.items_received <> r.items_created + r.items_updated + r.items_duplicate + r.items_ignored + r.items_quarantined
        OR r.items_created <> coalesce(l.count, 0)
        OR r.items_quarantined <> coalesce(q.count, 0)
        OR r.items_ignored <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(r.ignored_reasons)))"""
WITHOUT_AUDIT = """
    SELECT l.id FROM lead_signals l LEFT JOIN audit_events a
      ON (a.tenant_id, a.entity_id, a.event_type) = (l.tenant_id, l.id, 'LEAD_SIGNAL_CREATED')
    WHERE l.tenant_id = $1 GROUP BY l.id HAVING count(a.id) <> 1"""


async def assert_books_balance(owner_address: str, tenant_id: UUID) -> None:
    """No receipt of this tenant claims what is not there, and no lead of it lacks its audit event."""
    (kept,) = await fetch(owner_address, "SELECT count(*) FROM receipts WHERE tenant_id = $1", tenant_id)
    assert kept["count"] > 0
    assert await fetch(owner_address, UNBALANCED, tenant_id) == []
    assert await fetch(owner_address, WITHOUT_AUDIT, tenant_id) == []
