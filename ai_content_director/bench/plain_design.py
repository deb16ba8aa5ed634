"""The plain design: one transaction for one comment, written by PostgreSQL's own pgbench. What the machine could do at most that way.

The scripts are made from what the product itself stored for two of its leads, one that is owed a follow-up and one that is not: the
same tables, the same columns, the same bytes. Only ids are fresh, and times are left to the columns' defaults.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from bench.bench_error import BenchError
from bench.clean_server import CleanServer
from bench.comment_requests import POSTS

# The rows that one delivery of one comment leaves behind, found again from its lead: by which column, and by what of the lead.
_ROWS = {
    "lead_signals": ("id", "id"),
    "receipts": ("id", "receipt_id"),
    "audit_events": ("entity_id", "id"),
    "follow_ups": ("lead_id", "id"),
}

# Of the leads that came alone and are (not) owed a follow-up, those first that are as large as their like on average.
_TYPICAL_LEADS = """
    WITH alike AS (
        SELECT l.*, pg_column_size(l.*) + pg_column_size(r.*) AS size
        FROM lead_signals l JOIN receipts r ON (r.tenant_id, r.id) = (l.tenant_id, l.receipt_id)
        WHERE l.tenant_id = $1 AND r.items_received = 1
          AND EXISTS (SELECT FROM follow_ups f WHERE (f.tenant_id, f.lead_id) = (l.tenant_id, l.id)) = $2
    )
    SELECT * FROM alike ORDER BY abs(size - (SELECT avg(size) FROM alike)), id
"""

_BEGIN = r"""
\set n :n + 1
\set comment :run * 10000000000 + :client_id * 10000000 + :n
\set post random({first_post}, {last_post})
BEGIN;
SELECT set_config('app.tenant_id', :tenant, true), uuidv7() AS lead, uuidv7() AS receipt \gset
SELECT id AS content FROM content_items WHERE tenant_id = :tenant AND platform = {platform} AND external_post_id = {post} \gset
"""


@dataclass(frozen=True, slots=True)
class PlainScript:
    """One kind of comment as a pgbench script; `weight` is how many of the sampled leads were of this kind."""

    text: str
    weight: int


def plain_scripts(server: CleanServer, tenant_id: UUID) -> list[PlainScript]:
    """The scripts for a tenant that has received single comments by the API already.

    They want the variables tenant, run (differs from one run to the next; six digits) and n = 0.
    """
    scripts = []
    for follow_up_is_owed in (True, False):
        leads = server.fetch(_TYPICAL_LEADS, tenant_id, follow_up_is_owed)
        if leads:
            lead = {name: None if value is None else str(value) for name, value in leads[0].items()}
            scripts.append(PlainScript(_script(server, lead), len(leads)))
    if not scripts:
        raise BenchError("The API stored no lead of a single comment, so there is nothing for pgbench to do likewise.")
    return scripts


def _script(server: CleanServer, lead: Mapping[str, str | None]) -> str:
    tenant_id, lead_id, receipt_id, post = lead["tenant_id"], lead["id"], lead["receipt_id"], lead["external_post_id"]
    if tenant_id is None or lead_id is None or receipt_id is None or post is None:
        raise BenchError("The sampled lead has no receipt or no post.")
    page, _, first_post = post.rpartition("_")
    first = int(first_post) // POSTS * POSTS
    expressions = {
        tenant_id: ":tenant",
        lead_id: ":lead",
        receipt_id: ":receipt",
        lead["content_id"]: ":content",
        post: f"({_literal(page)} || '_' || :post::text)",
        lead["external_message_id"]: "(:post::text || '_' || :comment::text)",
    }
    begin = _BEGIN.format(first_post=first, last_post=first + POSTS - 1, platform=_literal(lead["platform"] or ""), post=expressions[post])
    inserts = [insert for table in _ROWS for insert in _inserts(server, table, lead, expressions)]
    return "\n".join((begin.strip(), *inserts, "COMMIT;")) + "\n"


def _inserts(server: CleanServer, table: str, lead: Mapping[str, str | None], expressions: Mapping[str | None, str]) -> list[str]:
    columns = [
        row[0]
        for row in server.fetch(
            "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1"
            " AND NOT (column_default IS NOT NULL AND data_type LIKE 'timestamp%') ORDER BY ordinal_position",
            table,
        )
    ]
    as_text = ", ".join(f"{column}::text" for column in columns)
    found_by, name = _ROWS[table]
    found = server.fetch(
        f"SELECT {as_text} FROM {table} WHERE tenant_id = $1::text::uuid AND {found_by} = $2::text::uuid", lead["tenant_id"], lead[name]
    )
    inserts = []
    for row in found:
        values = {column: value for column, value in zip(columns, row, strict=True) if value is not None}
        written = [_value(column, value, expressions) for column, value in values.items()]
        once = " ON CONFLICT (tenant_id, platform, external_message_id) DO NOTHING RETURNING id" if table == "lead_signals" else ""
        inserts.append(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(written)}){once};")
    return inserts


def _value(column: str, value: str, expressions: Mapping[str | None, str]) -> str:
    if value in expressions:
        return expressions[value]
    return "uuidv7()" if column == "id" else _literal(value)


def _literal(text: str) -> str:
    r"""SQL for this text. pgbench takes `:name` for a variable even between quotes, so a colon is written as \072."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\072") + "'"
