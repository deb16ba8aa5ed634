"""A backlog of follow-ups, written straight into the tables as the promise writes them: one lead and one follow-up each."""

from uuid import UUID

from bench.bench_error import BenchError
from bench.clean_server import CleanServer

# Owed since before the minute in which a follow-up counts as fresh, one after the other; nothing else differs from what the door wrote.
_STATEMENTS = (
    "CREATE UNLOGGED TABLE bench_backlog AS SELECT n, uuidv7() AS lead_id, uuidv7() AS follow_up_id,"
    " now() - interval '5 minutes' - ($1::int - n) * interval '10 milliseconds' AS at FROM generate_series(1, $1::int) n",
    """
    INSERT INTO lead_signals
    SELECT made.* FROM bench_backlog b, lead_signals l, LATERAL jsonb_populate_record(l, jsonb_build_object(
        'id', b.lead_id, 'external_message_id', 'backlog_' || b.n, 'created_at', b.at, 'updated_at', b.at)) made
    WHERE l.tenant_id = $1 AND l.id = $2 ORDER BY b.n
    """,
    r"""
    INSERT INTO follow_ups
    SELECT made.* FROM bench_backlog b, lead_signals l JOIN follow_ups f ON f.tenant_id = l.tenant_id AND f.lead_id = l.id,
        LATERAL replace(replace(convert_from(f.body, 'UTF8'), l.id::text, b.lead_id::text), l.external_message_id, 'backlog_' || b.n) says,
        LATERAL jsonb_populate_record(f, jsonb_build_object(
            'id', b.follow_up_id, 'lead_id', b.lead_id, 'due_at', b.at, 'created_at', b.at,
            'body', '\x' || encode(convert_to(says, 'UTF8'), 'hex'))) made
    WHERE l.tenant_id = $1 AND l.id = $2 ORDER BY b.n
    """,
)


def write_backlog(server: CleanServer, tenant_id: UUID, rows: int) -> None:
    """So many more like the tenant's one lead that is owed a follow-up nobody has tried yet. Raises BenchError when there is none."""
    owed = server.fetch("SELECT lead_id FROM follow_ups WHERE tenant_id = $1 AND state = 'pending'", tenant_id)
    if len(owed) != 1:
        raise BenchError(f"The tenant of the backlog should be owed one follow-up before it, and is owed {len(owed)}.")
    lead_id = owed[0][0]
    make, leads, follow_ups = _STATEMENTS
    server.fetch(make, rows)
    server.fetch(leads, tenant_id, lead_id)
    server.fetch(follow_ups, tenant_id, lead_id)
    server.fetch("DROP TABLE bench_backlog")
    server.fetch("ANALYZE lead_signals, follow_ups")
