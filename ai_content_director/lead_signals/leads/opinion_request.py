"""An opinion request: what we owe to ask a language model about a lead whose words no rule understood.

One row for each text of a lead: an edited message is another question. It may fail for ever without harm to the lead.
"""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from lead_signals.database.lease import due_index, lease_columns
from lead_signals.database.metadata import metadata

OPINION_WORK = "opinion_requests"


class OpinionState(StrEnum):
    """pending → asking → answered; back to pending after a failure; given_up when the verdict at hand stays."""

    PENDING = "pending"
    ASKING = "asking"
    ANSWERED = "answered"
    GIVEN_UP = "given_up"


opinion_requests = Table(
    "opinion_requests",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("text_sha256", LargeBinary, nullable=False),
    Column("state", Text, nullable=False, server_default=OpinionState.PENDING.value),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("last_failure", Text),
    # What the model said; `applied` is false in shadow mode, and when a person had decided before.
    Column("intent_label", Text),
    Column("confidence_score", Float),
    Column("model", Text),
    Column("from_cache", Boolean, nullable=False, server_default=text("false")),
    Column("applied", Boolean, nullable=False, server_default=text("false")),
    Column("duration_ms", Integer),
    *lease_columns(),
    UniqueConstraint("tenant_id", "lead_id", "text_sha256", name="uq_opinion_requests_once"),
    ForeignKeyConstraint(
        ["tenant_id", "lead_id"],
        ["lead_signals.tenant_id", "lead_signals.id"],
        name="fk_opinion_requests_lead_signals",
        ondelete="CASCADE",
    ),
    CheckConstraint("state IN ('pending', 'asking', 'answered', 'given_up')", "state"),
    CheckConstraint("(state IN ('answered', 'given_up')) = (finished_at IS NOT NULL)", "finished"),
    CheckConstraint("(state = 'asking') = (lease_until IS NOT NULL)", "leased"),
    CheckConstraint("(state = 'answered') = (intent_label IS NOT NULL AND confidence_score IS NOT NULL AND model IS NOT NULL)", "answer"),
    CheckConstraint("NOT applied OR state = 'answered'", "applied"),
)
due_index(opinion_requests)
