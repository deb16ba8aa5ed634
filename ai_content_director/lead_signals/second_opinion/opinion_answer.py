"""A remembered answer: what the model said to this question, so that the same words are not paid for twice. It holds no words itself."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Float, ForeignKey, Index, LargeBinary, Table, Text, Uuid, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.metadata import metadata
from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.opinion import Opinion
from lead_signals.tenancy.tenant import list_tenants
from lead_signals.tenancy.tenant_session import TenantSession, across_tenants_session, tenant_session

# The same name may be another model a month later: servers exchange what stands behind it.
ANSWER_HOLDS: Final = timedelta(days=30)
AT_ONCE: Final = 5_000  # rows in one transaction

opinion_answers = Table(
    "opinion_answers",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("question_sha256", LargeBinary, primary_key=True),
    Column("intent_label", Text, nullable=False),
    Column("confidence_score", Float, nullable=False),
    Column("model", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_opinion_answers_aging", "tenant_id", "created_at"),
)


async def recall_answer(session: TenantSession, tenant_id: UUID, question_sha256: bytes) -> Opinion | None:
    """What was said to it within the last 30 days; None when it must be asked."""
    columns = opinion_answers.c
    row = (
        await session.execute(
            select(columns.intent_label, columns.confidence_score).where(
                columns.tenant_id == tenant_id,
                columns.question_sha256 == question_sha256,
                columns.created_at > func.now() - ANSWER_HOLDS,
            )
        )
    ).one_or_none()
    return None if row is None else Opinion(IntentLabel(row.intent_label), row.confidence_score)


async def remember_answer(session: TenantSession, tenant_id: UUID, question_sha256: bytes, opinion: Opinion, *, model: str) -> None:
    """Keep it for 30 days from now, in place of an older answer."""
    said = {"intent_label": opinion.intent_label.value, "confidence_score": opinion.confidence_score, "model": model}
    await session.execute(
        insert(opinion_answers)
        .values(tenant_id=tenant_id, question_sha256=question_sha256, **said)
        .on_conflict_do_update(index_elements=["tenant_id", "question_sha256"], set_={**said, "created_at": func.now()})
    )


async def forget_old_answers(engine: AsyncEngine, *, at_once: int = AT_ONCE) -> int:
    """Delete what holds no longer, of every tenant; how many answers that were. May be ended at any moment and begun again."""
    async with across_tenants_session(engine) as session:
        tenants = await list_tenants(session)
    return sum([await _forget_of(engine, tenant.id, at_once) for tenant in tenants])


async def _forget_of(engine: AsyncEngine, tenant_id: UUID, at_once: int) -> int:
    columns = opinion_answers.c
    too_old = (columns.tenant_id == tenant_id, columns.created_at <= func.now() - ANSWER_HOLDS)
    some = select(columns.question_sha256).where(*too_old).limit(at_once)
    forgotten = 0
    while True:
        async with tenant_session(engine, tenant_id) as session:
            gone = (await session.execute(delete(opinion_answers).where(*too_old, columns.question_sha256.in_(some)))).rowcount
        forgotten += gone
        if gone < at_once:
            return forgotten
