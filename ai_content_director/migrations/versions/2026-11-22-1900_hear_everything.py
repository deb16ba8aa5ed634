"""Hear everything: channels with tokens and habits, changes of what was said, look-ups owed, receipts that age, tenants' own keys.

Revision: 2026_11_22_1900.
"""

from alembic import op

revision = "2026_11_22_1900"
down_revision = "2026_11_22_1030"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE channel_checks (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        channel_id UUID NOT NULL,
        state TEXT DEFAULT 'waiting' NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        lease_token BIGINT DEFAULT 0 NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_channel_checks PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_channel_checks_tenant_id_channel_id UNIQUE (tenant_id, channel_id),
        CONSTRAINT ck_channel_checks_state CHECK (state IN ('waiting', 'checking', 'ended')),
        CONSTRAINT ck_channel_checks_finished CHECK ((state = 'ended') = (finished_at IS NOT NULL)),
        CONSTRAINT ck_channel_checks_leased CHECK ((state = 'checking') = (lease_until IS NOT NULL)),
        CONSTRAINT fk_channel_checks_channels FOREIGN KEY(tenant_id, channel_id) REFERENCES channels (tenant_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_channel_checks_due ON channel_checks (coalesce(lease_until, due_at), id) WHERE finished_at IS NULL",
    """
    CREATE TABLE channel_hours (
        tenant_id UUID NOT NULL,
        channel_id UUID NOT NULL,
        hour TIMESTAMP WITH TIME ZONE NOT NULL,
        deliveries INTEGER NOT NULL,
        CONSTRAINT pk_channel_hours PRIMARY KEY (tenant_id, channel_id, hour),
        CONSTRAINT fk_channel_hours_channels FOREIGN KEY(tenant_id, channel_id) REFERENCES channels (tenant_id, id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE message_changes (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        external_message_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE,
        content_text TEXT,
        verdict JSONB,
        fingerprint BYTEA NOT NULL,
        receipt_id UUID,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_message_changes PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_message_changes_once UNIQUE (tenant_id, platform, external_message_id, fingerprint),
        CONSTRAINT ck_message_changes_kind CHECK (kind IN ('original', 'edited', 'removed', 'hidden', 'shown')),
        CONSTRAINT ck_message_changes_text CHECK ((kind IN ('original', 'edited')) = (content_text IS NOT NULL)),
        CONSTRAINT ck_message_changes_verdict CHECK ((content_text IS NULL) = (verdict IS NULL)),
        CONSTRAINT fk_message_changes_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE look_ups (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        kind TEXT NOT NULL,
        platform TEXT NOT NULL,
        channel_external_id TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        state TEXT DEFAULT 'pending' NOT NULL,
        failures INTEGER DEFAULT 0 NOT NULL,
        last_failure TEXT,
        found_name TEXT,
        found_at TIMESTAMP WITH TIME ZONE,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        lease_token BIGINT DEFAULT 0 NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_look_ups PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_look_ups_once UNIQUE (tenant_id, kind, platform, channel_external_id, subject_id),
        CONSTRAINT ck_look_ups_kind CHECK (kind IN ('lead_form', 'sender_name')),
        CONSTRAINT ck_look_ups_state CHECK (state IN ('pending', 'looking', 'found', 'given_up')),
        CONSTRAINT ck_look_ups_finished CHECK ((state IN ('found', 'given_up')) = (finished_at IS NOT NULL)),
        CONSTRAINT ck_look_ups_leased CHECK ((state = 'looking') = (lease_until IS NOT NULL)),
        CONSTRAINT fk_look_ups_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_look_ups_due ON look_ups (coalesce(lease_until, due_at), id) WHERE finished_at IS NULL",
    """
    CREATE TABLE tenant_api_keys (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        name TEXT NOT NULL,
        key_sha256 BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_tenant_api_keys PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_tenant_api_keys_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
)

COLUMNS = (
    """
    ALTER TABLE channels
        ADD COLUMN sealed_token BYTEA,
        ADD COLUMN token_state TEXT DEFAULT 'none' NOT NULL,
        ADD COLUMN token_expires_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN subscribed_fields TEXT[] DEFAULT '{}' NOT NULL,
        ADD COLUMN checked_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN check_sentence TEXT,
        ADD COLUMN last_heard_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN quiet_since TIMESTAMP WITH TIME ZONE,
        ADD COLUMN heard_until TIMESTAMP WITH TIME ZONE,
        ADD COLUMN disconnected_at TIMESTAMP WITH TIME ZONE,
        ADD CONSTRAINT ck_channels_token_state
            CHECK (token_state IN ('none', 'unchecked', 'ok', 'reconnect', 'permission', 'blocked')),
        ADD CONSTRAINT ck_channels_token CHECK ((token_state = 'none') = (sealed_token IS NULL))
    """,
    """
    ALTER TABLE receipts
        ALTER COLUMN body DROP NOT NULL,
        ADD COLUMN body_removed_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN channels TEXT[] DEFAULT '{}' NOT NULL,
        ADD CONSTRAINT ck_receipts_body CHECK ((body IS NULL) = (body_removed_at IS NOT NULL))
    """,
    "CREATE INDEX ix_receipts_aging ON receipts (tenant_id, received_at, id) WHERE body IS NOT NULL",
    # Names found later are put on the leads that have none, by sender.
    "CREATE INDEX ix_lead_signals_nameless ON lead_signals (tenant_id, platform, author_id) WHERE author_name IS NULL",
    "ALTER TABLE quarantined_items ALTER COLUMN item DROP NOT NULL",
    "ALTER TABLE unrouted_deliveries ADD COLUMN admitted_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE follow_ups ADD COLUMN cancel_asked BOOLEAN DEFAULT false NOT NULL",
)

GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON channel_checks TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON channel_hours TO lead_signals_app",
    "GRANT SELECT, INSERT ON message_changes TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE ON look_ups TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE ON tenant_api_keys TO lead_signals_app",
    "GRANT UPDATE (body, body_removed_at) ON receipts TO lead_signals_app",
    "GRANT UPDATE (item) ON quarantined_items TO lead_signals_app",
    "GRANT UPDATE (admitted_at), DELETE ON unrouted_deliveries TO lead_signals_app",
)

# The unset value on a reused connection is an empty string, not NULL: without NULLIF the cast would fail.
HERE = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"
ACROSS = "current_setting('app.across_tenants', true) = 'on'"

WALLED = ("channel_checks", "channel_hours", "message_changes", "look_ups", "tenant_api_keys")

# For an AcrossTenantsSession: claiming owed work, and what became of deliveries that belonged to nobody.
DOORS = (
    f"CREATE POLICY across_tenants_reads ON channel_checks FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_claims ON channel_checks FOR UPDATE USING ({ACROSS}) WITH CHECK ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON look_ups FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_claims ON look_ups FOR UPDATE USING ({ACROSS}) WITH CHECK ({ACROSS})",
    f"CREATE POLICY across_tenants_marks ON unrouted_deliveries FOR UPDATE USING ({ACROSS}) WITH CHECK ({ACROSS})",
    f"CREATE POLICY across_tenants_removes ON unrouted_deliveries FOR DELETE USING ({ACROSS})",
)


def upgrade() -> None:
    for statement in (*COLUMNS, *TABLES, *GRANTS):
        op.execute(statement)
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant_wall ON {table} USING (tenant_id = {HERE}) WITH CHECK (tenant_id = {HERE})")
    for statement in DOORS:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(WALLED):
        op.execute(f"DROP TABLE {table}")
    for policy in ("across_tenants_marks", "across_tenants_removes"):
        op.execute(f"DROP POLICY {policy} ON unrouted_deliveries")
    op.execute("REVOKE UPDATE (admitted_at), DELETE ON unrouted_deliveries FROM lead_signals_app")
    op.execute("REVOKE UPDATE (item) ON quarantined_items FROM lead_signals_app")
    op.execute("REVOKE UPDATE (body, body_removed_at) ON receipts FROM lead_signals_app")
    op.execute("DROP INDEX ix_lead_signals_nameless")
    op.execute("ALTER TABLE follow_ups DROP COLUMN cancel_asked")
    op.execute("ALTER TABLE unrouted_deliveries DROP COLUMN admitted_at")
    # What was removed by age is gone: the older schema gets an empty body in its place.
    op.execute("UPDATE quarantined_items SET item = '' WHERE item IS NULL")
    op.execute("ALTER TABLE quarantined_items ALTER COLUMN item SET NOT NULL")
    op.execute("ALTER TABLE receipts DROP CONSTRAINT ck_receipts_body")
    op.execute("UPDATE receipts SET body = '' WHERE body IS NULL")
    op.execute("DROP INDEX ix_receipts_aging")
    op.execute("ALTER TABLE receipts ALTER COLUMN body SET NOT NULL, DROP COLUMN body_removed_at, DROP COLUMN channels")
    op.execute(
        """
        ALTER TABLE channels
            DROP CONSTRAINT ck_channels_token, DROP CONSTRAINT ck_channels_token_state,
            DROP COLUMN sealed_token, DROP COLUMN token_state, DROP COLUMN token_expires_at, DROP COLUMN subscribed_fields,
            DROP COLUMN checked_at, DROP COLUMN check_sentence, DROP COLUMN last_heard_at, DROP COLUMN quiet_since,
            DROP COLUMN heard_until, DROP COLUMN disconnected_at
        """
    )
