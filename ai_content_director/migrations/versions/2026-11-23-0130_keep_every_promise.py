"""Keep every promise: endpoints of tenants, receipts of what became of a follow-up, and follow-ups queued by endpoint.

Revision: 2026_11_23_0130.
"""

from alembic import op

revision = "2026_11_23_0130"
down_revision = "2026_11_22_2230"
branch_labels = None
depends_on = None

OPERATORS = "'00000000-0000-0000-0000-000000000000'"

TABLES = (
    """
    CREATE TABLE follow_up_endpoints (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        sealed_address BYTEA,
        shown_address TEXT NOT NULL,
        sealed_secret BYTEA,
        sealed_old_secret BYTEA,
        old_secret_until TIMESTAMP WITH TIME ZONE,
        paused_at TIMESTAMP WITH TIME ZONE,
        pause_reason TEXT,
        removed_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_follow_up_endpoints PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_follow_up_endpoints_kind CHECK (kind IN ('webhook', 'slack', 'email')),
        CONSTRAINT ck_follow_up_endpoints_address CHECK ((removed_at IS NULL) = (sealed_address IS NOT NULL)),
        CONSTRAINT ck_follow_up_endpoints_secret CHECK ((kind = 'webhook' AND removed_at IS NULL) = (sealed_secret IS NOT NULL)),
        CONSTRAINT ck_follow_up_endpoints_old_secret CHECK ((sealed_old_secret IS NULL) = (old_secret_until IS NULL)),
        CONSTRAINT ck_follow_up_endpoints_paused CHECK ((paused_at IS NULL) = (pause_reason IS NULL)),
        CONSTRAINT ck_follow_up_endpoints_pause_reason CHECK (pause_reason IN ('gone', 'by_operator')),
        CONSTRAINT fk_follow_up_endpoints_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_follow_up_endpoints_live_name ON follow_up_endpoints (tenant_id, name) WHERE removed_at IS NULL",
    # WEBHOOK_URL belongs to no tenant. A pause is of one address: a new one is not paused.
    """
    CREATE TABLE operator_endpoint_pauses (
        address_sha256 BYTEA NOT NULL,
        paused_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        pause_reason TEXT NOT NULL,
        CONSTRAINT pk_operator_endpoint_pauses PRIMARY KEY (address_sha256),
        CONSTRAINT ck_operator_endpoint_pauses_pause_reason CHECK (pause_reason IN ('gone', 'by_operator'))
    )
    """,
    """
    CREATE TABLE follow_up_receipts (
        tenant_id UUID NOT NULL,
        follow_up_id UUID NOT NULL,
        receipt_key TEXT NOT NULL,
        status TEXT NOT NULL,
        reference TEXT,
        note TEXT,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_follow_up_receipts PRIMARY KEY (tenant_id, follow_up_id, receipt_key),
        CONSTRAINT ck_follow_up_receipts_status CHECK (status IN ('accepted', 'done', 'failed')),
        CONSTRAINT fk_follow_up_receipts_follow_ups FOREIGN KEY(tenant_id, follow_up_id)
            REFERENCES follow_ups (tenant_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_follow_up_receipts_received ON follow_up_receipts USING brin (received_at)",
)

QUEUED_BY_ENDPOINT = (
    f"ALTER TABLE follow_ups ADD COLUMN endpoint_id UUID DEFAULT {OPERATORS} NOT NULL",
    "ALTER TABLE follow_ups ALTER COLUMN endpoint_id DROP DEFAULT",
    # When the first try of the schedule began that runs now: a redrive begins another one.
    "ALTER TABLE follow_ups ADD COLUMN begun_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE follow_ups DROP CONSTRAINT uq_follow_ups_tenant_id_lead_id_destination",
    "ALTER TABLE follow_ups DROP COLUMN destination",
    "ALTER TABLE follow_ups ADD CONSTRAINT uq_follow_ups_tenant_id_lead_id_endpoint_id UNIQUE (tenant_id, lead_id, endpoint_id)",
    "DROP INDEX ix_follow_ups_due",
    "CREATE INDEX ix_follow_ups_due ON follow_ups (endpoint_id, coalesce(lease_until, due_at), id) WHERE finished_at IS NULL",
    # What was never tried, so that a lead of this minute need not wait behind the backlog of a day.
    "CREATE INDEX ix_follow_ups_fresh ON follow_ups (endpoint_id, due_at) WHERE state = 'pending'",
    "CREATE INDEX ix_follow_ups_dead ON follow_ups (tenant_id, id) WHERE state = 'dead'",
    "CREATE INDEX ix_follow_ups_promised ON follow_ups USING brin (created_at)",
    # Each promise is rewritten at least twice; a fifth of a large table full of dead rows would slow every claim.
    "ALTER TABLE follow_ups SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)",
)

QUEUED_TOGETHER = (
    "ALTER TABLE follow_ups RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
    "DROP INDEX ix_follow_ups_promised",
    "DROP INDEX ix_follow_ups_dead",
    "DROP INDEX ix_follow_ups_fresh",
    "DROP INDEX ix_follow_ups_due",
    "CREATE INDEX ix_follow_ups_due ON follow_ups (coalesce(lease_until, due_at), id) WHERE finished_at IS NULL",
    "ALTER TABLE follow_ups DROP CONSTRAINT uq_follow_ups_tenant_id_lead_id_endpoint_id",
    f"DELETE FROM follow_ups WHERE endpoint_id <> {OPERATORS}",
    "ALTER TABLE follow_ups ADD COLUMN destination TEXT DEFAULT 'n8n' NOT NULL",
    "ALTER TABLE follow_ups ALTER COLUMN destination DROP DEFAULT",
    "ALTER TABLE follow_ups DROP COLUMN endpoint_id",
    "ALTER TABLE follow_ups DROP COLUMN begun_at",
    "ALTER TABLE follow_ups ADD CONSTRAINT uq_follow_ups_tenant_id_lead_id_destination UNIQUE (tenant_id, lead_id, destination)",
)

GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON follow_up_endpoints TO lead_signals_app",
    "GRANT SELECT, INSERT, DELETE ON operator_endpoint_pauses TO lead_signals_app",
    "GRANT SELECT, INSERT ON follow_up_receipts TO lead_signals_app",
)

# The unset value on a reused connection is an empty string, not NULL: without NULLIF the cast would fail.
HERE = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"
ACROSS = "current_setting('app.across_tenants', true) = 'on'"

WALLED = ("follow_up_endpoints", "follow_up_receipts")

# For an AcrossTenantsSession: the worker reads whom it owes, and writes down the attempts at follow-ups of many tenants together;
# the operator looks over all of them.
DOORS = (
    f"CREATE POLICY across_tenants_reads ON follow_up_endpoints FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON follow_up_receipts FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON delivery_attempts FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_records ON delivery_attempts FOR INSERT WITH CHECK ({ACROSS})",
)


def upgrade() -> None:
    for statement in (*TABLES, *QUEUED_BY_ENDPOINT, *GRANTS):
        op.execute(statement)
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant_wall ON {table} USING (tenant_id = {HERE}) WITH CHECK (tenant_id = {HERE})")
    for statement in DOORS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP POLICY across_tenants_records ON delivery_attempts")
    op.execute("DROP POLICY across_tenants_reads ON delivery_attempts")
    for table in ("follow_up_receipts", "operator_endpoint_pauses", "follow_up_endpoints"):
        op.execute(f"DROP TABLE {table}")
    for statement in QUEUED_TOGETHER:
        op.execute(statement)
