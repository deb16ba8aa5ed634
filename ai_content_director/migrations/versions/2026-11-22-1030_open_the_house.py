"""Open the house: tenants, receipts, lead signals, audit events, follow-ups, and the wall around each tenant's rows.

Revision: 2026_11_22_1030, the first.
"""

from alembic import op

revision = "2026_11_22_1030"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE tenants (
        id UUID NOT NULL,
        name TEXT NOT NULL,
        industry TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_tenants PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE brand_profiles (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        brand_tone TEXT NOT NULL,
        main_services TEXT[] NOT NULL,
        target_customer TEXT NOT NULL,
        cta_style TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_brand_profiles PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_brand_profiles_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE channels (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        external_id TEXT NOT NULL,
        name TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_channels PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_channels_tenant_id_platform_external_id UNIQUE (tenant_id, platform, external_id),
        CONSTRAINT fk_channels_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_channels_routing ON channels (platform, external_id)
    """,
    """
    CREATE TABLE content_items (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        external_post_id TEXT NOT NULL,
        title TEXT,
        permalink_url TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_content_items PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_content_items_tenant_id_platform_external_post_id UNIQUE (tenant_id, platform, external_post_id),
        CONSTRAINT fk_content_items_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE receipts (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        tenant_id_source TEXT NOT NULL,
        signed BOOLEAN NOT NULL,
        body BYTEA NOT NULL,
        body_is_excerpt BOOLEAN NOT NULL,
        items_received INTEGER NOT NULL,
        items_created INTEGER NOT NULL,
        items_updated INTEGER NOT NULL,
        items_duplicate INTEGER NOT NULL,
        items_ignored INTEGER NOT NULL,
        items_quarantined INTEGER NOT NULL,
        ignored_reasons JSONB NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_receipts PRIMARY KEY (tenant_id, id),
        CONSTRAINT ck_receipts_tenant_id_source CHECK (tenant_id_source IN ('header', 'body', 'channel')),
        CONSTRAINT ck_receipts_conservation CHECK (items_received = items_created + items_updated + items_duplicate + items_ignored + items_quarantined),
        CONSTRAINT fk_receipts_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_receipts_received_at ON receipts (tenant_id, received_at)
    """,
    """
    CREATE TABLE quarantined_items (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        receipt_id UUID NOT NULL,
        reason TEXT NOT NULL,
        item BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_quarantined_items PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_quarantined_items_receipts FOREIGN KEY(tenant_id, receipt_id) REFERENCES receipts (tenant_id, id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_quarantined_items_receipt ON quarantined_items (tenant_id, receipt_id)
    """,
    """
    CREATE TABLE unrouted_deliveries (
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        channel_external_id TEXT NOT NULL,
        body BYTEA NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_unrouted_deliveries PRIMARY KEY (id)
    )
    """,
    """
    CREATE INDEX ix_unrouted_deliveries_channel ON unrouted_deliveries (platform, channel_external_id, received_at)
    """,
    """
    CREATE TABLE lead_signals (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        platform TEXT NOT NULL,
        source_type TEXT NOT NULL,
        source_subtype TEXT,
        content_id UUID,
        external_post_id TEXT,
        external_thread_id TEXT,
        external_message_id TEXT,
        author_name TEXT,
        author_id TEXT,
        content_text TEXT NOT NULL,
        intent_label TEXT NOT NULL,
        priority TEXT NOT NULL,
        confidence_score DOUBLE PRECISION NOT NULL,
        status TEXT NOT NULL,
        assignee TEXT,
        follow_up_at TIMESTAMP WITH TIME ZONE,
        last_contact_at TIMESTAMP WITH TIME ZONE,
        meta JSONB DEFAULT '{}'::jsonb NOT NULL,
        receipt_id UUID,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_lead_signals PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_lead_signals_content_items FOREIGN KEY(tenant_id, content_id) REFERENCES content_items (tenant_id, id),
        CONSTRAINT uq_lead_signals_tenant_id_platform_external_message_id UNIQUE (tenant_id, platform, external_message_id),
        CONSTRAINT ck_lead_signals_intent_label CHECK (intent_label IN ('spam', 'complaint', 'purchase_intent', 'inquiry_price', 'demo_request', 'contact_request', 'inquiry', 'thanks', 'engagement', 'unknown')),
        CONSTRAINT ck_lead_signals_priority CHECK (priority IN ('high', 'medium', 'low')),
        CONSTRAINT ck_lead_signals_status CHECK (status IN ('new_auto', 'new_draft', 'new_escalate', 'confirmed', 'dismissed', 'contacted', 'qualified', 'won', 'lost', 'withdrawn')),
        CONSTRAINT ck_lead_signals_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
        CONSTRAINT fk_lead_signals_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE INDEX ix_lead_signals_newest ON lead_signals (tenant_id, created_at DESC, id DESC)
    """,
    """
    CREATE INDEX ix_lead_signals_status_newest ON lead_signals (tenant_id, status, created_at DESC, id DESC)
    """,
    """
    CREATE TABLE audit_events (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        event_type TEXT NOT NULL,
        actor TEXT NOT NULL,
        entity_type TEXT NOT NULL,
        entity_id UUID NOT NULL,
        detail JSONB NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_audit_events_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE RESTRICT
    )
    """,
    """
    CREATE INDEX ix_audit_events_entity ON audit_events (tenant_id, entity_id, created_at)
    """,
    """
    CREATE TABLE follow_ups (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        lead_id UUID NOT NULL,
        destination TEXT NOT NULL,
        state TEXT DEFAULT 'pending' NOT NULL,
        body BYTEA NOT NULL,
        failures INTEGER DEFAULT 0 NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        lease_token BIGINT DEFAULT 0 NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_follow_ups PRIMARY KEY (tenant_id, id),
        CONSTRAINT fk_follow_ups_lead_signals FOREIGN KEY(tenant_id, lead_id) REFERENCES lead_signals (tenant_id, id) ON DELETE CASCADE,
        CONSTRAINT uq_follow_ups_tenant_id_lead_id_destination UNIQUE (tenant_id, lead_id, destination),
        CONSTRAINT ck_follow_ups_state CHECK (state IN ('pending', 'delivering', 'delivered', 'retrying', 'dead', 'cancelled')),
        CONSTRAINT ck_follow_ups_finished CHECK ((state IN ('delivered', 'dead', 'cancelled')) = (finished_at IS NOT NULL)),
        CONSTRAINT ck_follow_ups_leased CHECK ((state = 'delivering') = (lease_until IS NOT NULL))
    )
    """,
    """
    CREATE INDEX ix_follow_ups_due ON follow_ups (coalesce(lease_until, due_at), id) WHERE finished_at IS NULL
    """,
    """
    CREATE TABLE delivery_attempts (
        tenant_id UUID NOT NULL,
        follow_up_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        duration_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        http_status INTEGER,
        error_class TEXT,
        answer_head BYTEA,
        CONSTRAINT pk_delivery_attempts PRIMARY KEY (tenant_id, follow_up_id, attempt),
        CONSTRAINT fk_delivery_attempts_follow_ups FOREIGN KEY(tenant_id, follow_up_id) REFERENCES follow_ups (tenant_id, id) ON DELETE CASCADE,
        CONSTRAINT ck_delivery_attempts_outcome CHECK (outcome IN ('delivered', 'try_again', 'give_up'))
    )
    """,
    """
    CREATE TABLE worker_heartbeats (
        worker_id UUID NOT NULL,
        host TEXT NOT NULL,
        process_id INTEGER NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        beat_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_worker_heartbeats PRIMARY KEY (worker_id)
    )
    """,
)

# What the application role may do. It owns nothing and gets nothing that its code does not need.
GRANTS = {
    "tenants": "SELECT, INSERT",
    "brand_profiles": "SELECT, INSERT",
    "channels": "SELECT, INSERT, UPDATE",
    "content_items": "SELECT, INSERT",
    "receipts": "SELECT, INSERT",
    "quarantined_items": "SELECT, INSERT",
    "unrouted_deliveries": "SELECT, INSERT",
    "lead_signals": "SELECT, INSERT, UPDATE",
    "audit_events": "SELECT, INSERT",
    "follow_ups": "SELECT, INSERT, UPDATE",
    "delivery_attempts": "SELECT, INSERT",
    "worker_heartbeats": "SELECT, INSERT, UPDATE, DELETE",
    "alembic_version": "SELECT",
}

# The unset value on a reused connection is an empty string, not NULL: without NULLIF the cast would fail.
HERE = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"
ACROSS = "current_setting('app.across_tenants', true) = 'on'"

WALLED = {
    "tenants": "id",
    "brand_profiles": "tenant_id",
    "channels": "tenant_id",
    "content_items": "tenant_id",
    "receipts": "tenant_id",
    "quarantined_items": "tenant_id",
    "lead_signals": "tenant_id",
    "audit_events": "tenant_id",
    "follow_ups": "tenant_id",
    "delivery_attempts": "tenant_id",
}

# The few doors in the wall, for an AcrossTenantsSession: listing tenants, routing by Page, claiming owed work.
DOORS = (
    f"CREATE POLICY across_tenants_reads ON tenants FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON channels FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON follow_ups FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_claims ON follow_ups FOR UPDATE USING ({ACROSS}) WITH CHECK ({ACROSS})",
    # A delivery for an unknown Page is written before anybody knows whose it is; only the operator reads it.
    "CREATE POLICY door_writes ON unrouted_deliveries FOR INSERT WITH CHECK (true)",
    f"CREATE POLICY across_tenants_reads ON unrouted_deliveries FOR SELECT USING ({ACROSS})",
)

APPEND_ONLY = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_events_are_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """,
    """
    CREATE TRIGGER audit_events_are_kept BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, privileges in GRANTS.items():
        op.execute(f"GRANT {privileges} ON {table} TO lead_signals_app")
    for table, tenant_column in WALLED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant_wall ON {table} USING ({tenant_column} = {HERE}) WITH CHECK ({tenant_column} = {HERE})")
    op.execute("ALTER TABLE unrouted_deliveries ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE unrouted_deliveries FORCE ROW LEVEL SECURITY")
    for statement in (*DOORS, *APPEND_ONLY):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(tuple(GRANTS)):
        if table != "alembic_version":
            op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_change()")
