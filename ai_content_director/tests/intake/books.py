"""The books of the door: what every receipt counted is there, neither more nor less."""

from uuid import UUID

from tests.intake.open_door import fetch

# One row for each receipt whose counts and rows disagree. The CHECK in the table guards the sum, this guards each part of it.
# $1 is the tenant whose books they are; NULL opens those of all. Receipts of one delivery for several tenants share their id.
UNBALANCED = """
    SELECT tenant_id, id FROM receipts r
    LEFT JOIN (SELECT tenant_id, receipt_id AS id, count(*) FROM lead_signals GROUP BY 1, 2) l USING (tenant_id, id)
    LEFT JOIN (SELECT tenant_id, receipt_id AS id, count(*) FROM message_changes GROUP BY 1, 2) c USING (tenant_id, id)
    LEFT JOIN (SELECT tenant_id, receipt_id AS id, count(*) FROM quarantined_items GROUP BY 1, 2) q USING (tenant_id, id)
    WHERE ($1::uuid IS NULL OR tenant_id = $1) AND (
        r.items_received <> r.items_created + r.items_updated + r.items_duplicate + r.items_ignored + r.items_quarantined
        OR r.items_created <> coalesce(l.count, 0)
        OR r.items_updated + coalesce((r.ignored_reasons ->> 'change_before_its_message')::int, 0) <> coalesce(c.count, 0)
        OR r.items_quarantined <> coalesce(q.count, 0)
        OR r.items_ignored <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(r.ignored_reasons)))"""
WITHOUT_AUDIT = """
    SELECT l.id FROM lead_signals l LEFT JOIN audit_events a
      ON (a.tenant_id, a.entity_id, a.event_type) = (l.tenant_id, l.id, 'LEAD_SIGNAL_CREATED')
    WHERE $1::uuid IS NULL OR l.tenant_id = $1 GROUP BY l.tenant_id, l.id HAVING count(a.id) <> 1"""


async def assert_books_balance(owner_address: str, tenant_id: UUID | None = None) -> None:
    """No receipt of this tenant, or of any, claims what is not there, and no lead lacks its audit event."""
    (kept,) = await fetch(owner_address, "SELECT count(*) FROM receipts WHERE $1::uuid IS NULL OR tenant_id = $1", tenant_id)
    assert kept["count"] > 0
    assert await fetch(owner_address, UNBALANCED, tenant_id) == []
    assert await fetch(owner_address, WITHOUT_AUDIT, tenant_id) == []
