"""Understand people: rule packs of a tenant with their turns, and opinions asked of a language model with cache and budget.

Revision: 2026_11_22_2230.
"""

from alembic import op

revision = "2026_11_22_2230"
down_revision = "2026_11_22_1900"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE rule_packs (
        tenant_id UUID NOT NULL,
        version INTEGER NOT NULL,
        content TEXT NOT NULL,
        note TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_rule_packs PRIMARY KEY (tenant_id, version),
        CONSTRAINT ck_rule_packs_version CHECK (version >= 1),
        CONSTRAINT fk_rule_packs_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE rule_pack_turns (
        tenant_id UUID NOT NULL,
        turn INTEGER NOT NULL,
        version INTEGER,
        turned_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_rule_pack_turns PRIMARY KEY (tenant_id, turn),
        CONSTRAINT ck_rule_pack_turns_turn CHECK (turn >= 1),
        CONSTRAINT fk_rule_pack_turns_rule_packs FOREIGN KEY(tenant_id, version) REFERENCES rule_packs (tenant_id, version) ON DELETE CASCADE,
        CONSTRAINT fk_rule_pack_turns_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE opinion_requests (
        tenant_id UUID NOT NULL,
        id UUID NOT NULL,
        lead_id UUID NOT NULL,
        text_sha256 BYTEA NOT NULL,
        state TEXT DEFAULT 'pending' NOT NULL,
        failures INTEGER DEFAULT 0 NOT NULL,
        last_failure TEXT,
        intent_label TEXT,
        confidence_score DOUBLE PRECISION,
        model TEXT,
        from_cache BOOLEAN DEFAULT false NOT NULL,
        applied BOOLEAN DEFAULT false NOT NULL,
        duration_ms INTEGER,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        lease_token BIGINT DEFAULT 0 NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_opinion_requests PRIMARY KEY (tenant_id, id),
        CONSTRAINT uq_opinion_requests_once UNIQUE (tenant_id, lead_id, text_sha256),
        CONSTRAINT ck_opinion_requests_state CHECK (state IN ('pending', 'asking', 'answered', 'given_up')),
        CONSTRAINT ck_opinion_requests_finished CHECK ((state IN ('answered', 'given_up')) = (finished_at IS NOT NULL)),
        CONSTRAINT ck_opinion_requests_leased CHECK ((state = 'asking') = (lease_until IS NOT NULL)),
        CONSTRAINT ck_opinion_requests_answer CHECK (
            (state = 'answered') = (intent_label IS NOT NULL AND confidence_score IS NOT NULL AND model IS NOT NULL)
        ),
        CONSTRAINT ck_opinion_requests_applied CHECK (NOT applied OR state = 'answered'),
        CONSTRAINT fk_opinion_requests_lead_signals FOREIGN KEY(tenant_id, lead_id)
            REFERENCES lead_signals (tenant_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_opinion_requests_due ON opinion_requests (coalesce(lease_until, due_at), id) WHERE finished_at IS NULL",
    # How many leads of one author an opinion raised within the hour.
    "CREATE INDEX ix_audit_events_opinions ON audit_events (tenant_id, created_at) WHERE event_type = 'LEAD_SIGNAL_SECOND_OPINION'",
    """
    CREATE TABLE opinion_answers (
        tenant_id UUID NOT NULL,
        question_sha256 BYTEA NOT NULL,
        intent_label TEXT NOT NULL,
        confidence_score DOUBLE PRECISION NOT NULL,
        model TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_opinion_answers PRIMARY KEY (tenant_id, question_sha256),
        CONSTRAINT fk_opinion_answers_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_opinion_answers_aging ON opinion_answers (tenant_id, created_at)",
    """
    CREATE TABLE opinion_days (
        tenant_id UUID NOT NULL,
        day DATE NOT NULL,
        calls INTEGER DEFAULT 0 NOT NULL,
        input_tokens BIGINT DEFAULT 0 NOT NULL,
        output_tokens BIGINT DEFAULT 0 NOT NULL,
        CONSTRAINT pk_opinion_days PRIMARY KEY (tenant_id, day),
        CONSTRAINT fk_opinion_days_tenants FOREIGN KEY(tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
    )
    """,
)

GRANTS = (
    "GRANT SELECT, INSERT ON rule_packs TO lead_signals_app",
    "GRANT SELECT, INSERT ON rule_pack_turns TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE ON opinion_requests TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON opinion_answers TO lead_signals_app",
    "GRANT SELECT, INSERT, UPDATE ON opinion_days TO lead_signals_app",
)

# The unset value on a reused connection is an empty string, not NULL: without NULLIF the cast would fail.
HERE = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"
ACROSS = "current_setting('app.across_tenants', true) = 'on'"

WALLED = ("rule_packs", "rule_pack_turns", "opinion_requests", "opinion_answers", "opinion_days")

# For an AcrossTenantsSession: claiming owed work, and which tenant judges by which pack.
DOORS = (
    f"CREATE POLICY across_tenants_reads ON opinion_requests FOR SELECT USING ({ACROSS})",
    f"CREATE POLICY across_tenants_claims ON opinion_requests FOR UPDATE USING ({ACROSS}) WITH CHECK ({ACROSS})",
    f"CREATE POLICY across_tenants_reads ON rule_pack_turns FOR SELECT USING ({ACROSS})",
)


def upgrade() -> None:
    for statement in (*TABLES, *GRANTS):
        op.execute(statement)
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant_wall ON {table} USING (tenant_id = {HERE}) WITH CHECK (tenant_id = {HERE})")
    for statement in DOORS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_audit_events_opinions")
    for table in ("opinion_days", "opinion_answers", "opinion_requests", "rule_pack_turns", "rule_packs"):
        op.execute(f"DROP TABLE {table}")
