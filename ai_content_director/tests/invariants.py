"""What must hold after every fault, asked of the tables and of the receiver's arrivals. Each failure names its rows."""

from collections import Counter
from collections.abc import Collection, Sequence

from tests.receiver import Arrival
from tests.rows import Rows

AT_MOST_ONE_LEAD = """
    SELECT external_message_id FROM lead_signals WHERE external_message_id IS NOT NULL
    GROUP BY tenant_id, platform, external_message_id HAVING count(*) > 1"""
LEAD_WITHOUT_ITS_ONE_AUDIT_EVENT = """
    SELECT l.external_message_id FROM lead_signals l LEFT JOIN audit_events a
      ON a.tenant_id = l.tenant_id AND a.entity_id = l.id AND a.event_type = 'LEAD_SIGNAL_CREATED'
    GROUP BY l.tenant_id, l.id, l.external_message_id HAVING count(a.id) <> 1"""
AUDIT_EVENT_WITHOUT_LEAD = """
    SELECT a.entity_id FROM audit_events a
    WHERE NOT EXISTS (SELECT FROM lead_signals l WHERE l.tenant_id = a.tenant_id AND l.id = a.entity_id)"""
LEAD_WITHOUT_RECEIPT = """
    SELECT l.external_message_id FROM lead_signals l
    WHERE NOT EXISTS (SELECT FROM receipts r WHERE r.tenant_id = l.tenant_id AND r.id = l.receipt_id)"""
RECEIPT_WHOSE_LEADS_ARE_NOT_THERE = """
    SELECT r.id FROM receipts r
    WHERE r.items_created <> (SELECT count(*) FROM lead_signals l WHERE l.tenant_id = r.tenant_id AND l.receipt_id = r.id)"""
WRONG_NUMBER_OF_FOLLOW_UPS = """
    SELECT l.external_message_id, l.priority, count(f.id) FROM lead_signals l LEFT JOIN follow_ups f
      ON f.tenant_id = l.tenant_id AND f.lead_id = l.id
    GROUP BY l.tenant_id, l.id, l.external_message_id, l.priority
    HAVING count(f.id) <> CASE l.priority WHEN 'high' THEN 1 ELSE 0 END"""
ITEMS_NOT_CONSERVED = """
    SELECT id FROM receipts
    WHERE items_received <> items_created + items_updated + items_duplicate + items_ignored + items_quarantined"""
WITHOUT_ROWS = {
    "one message became several leads": AT_MOST_ONE_LEAD,
    "a lead without exactly one audit event": LEAD_WITHOUT_ITS_ONE_AUDIT_EVENT,
    "an audit event without its lead": AUDIT_EVENT_WITHOUT_LEAD,
    "a lead without its receipt": LEAD_WITHOUT_RECEIPT,
    "a receipt that counted leads which are not there": RECEIPT_WHOSE_LEADS_ARE_NOT_THERE,
    "a receipt whose items do not add up": ITEMS_NOT_CONSERVED,
}


def assert_whole(rows: Rows, *, acknowledged: Collection[str], sent: Collection[str]) -> None:
    """Every acknowledged comment is there, nothing is there that was not sent, and nothing is half there.

    Both collections hold comment ids; what was sent and not acknowledged may be there or not.
    """
    assert_nothing_half(rows)
    assert [tuple(row) for row in rows.of(WRONG_NUMBER_OF_FOLLOW_UPS)] == [], "an urgent lead without its follow-up, or another with one"
    there = set(rows.column("SELECT external_message_id FROM lead_signals"))
    assert set(acknowledged) - there == set(), "acknowledged and lost"
    assert there - set(sent) == set(), "there without having been sent"


def assert_nothing_half(rows: Rows) -> None:
    """Leads, audit events and receipts belong together, one by one."""
    for what, statement in WITHOUT_ROWS.items():
        assert [tuple(row) for row in rows.of(statement)] == [], what


def assert_kept(rows: Rows, arrivals: Sequence[Arrival], *, repeated_at_most: int) -> None:
    """Every promise is delivered and arrived under one webhook-id of its own; `repeated_at_most` arrivals came more than once."""
    owed = {row["lead_id"]: row for row in rows.of("SELECT lead_id, id, state, finished_at, lease_until FROM follow_ups")}
    assert {row["state"] for row in owed.values()} <= {"delivered"}, Counter(row["state"] for row in owed.values())
    ids_of_lead: dict[str, set[str]] = {}
    for arrival in arrivals:
        ids_of_lead.setdefault(arrival.said["lead_id"], set()).add(arrival.webhook_id)
    assert ids_of_lead == {str(lead): {f"msg_{row['id'].hex}"} for lead, row in owed.items()}
    assert len(arrivals) - len(owed) <= repeated_at_most, "delivered again without need"


def all_finished(rows: Rows) -> bool:
    """Whether no follow-up waits for anything any more."""
    return bool(rows.value("SELECT count(*) FROM follow_ups WHERE finished_at IS NULL") == 0)
