"""What changes cost: a delivery without any pays one lock and one question, a thousand of them no more statements than one."""

from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.apply_changes import ChangeOutcome
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.lives import FIRST_EDIT, edited, happen, happen_in, said, the_lead


class Statements:
    """Counts what is sent to the database by an engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.sent: list[str] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *told: Any) -> None:
        self.sent.append(told[2])


async def test_hundreds_of_leads_without_any_change_cost_one_lock_and_one_question(engine: AsyncEngine, tenant_id: UUID) -> None:
    counted = Statements(engine)
    async with tenant_session(engine, tenant_id) as session:
        counted.sent.clear()
        await happen_in(session, tenant_id, [said(f"m{number}") for number in range(300)])
    about_changes = [sent for sent in counted.sent if "INSERT INTO lead_signals" not in sent and "content_items" not in sent]
    assert ["advisory" in sent for sent in about_changes] == [True, False]
    assert "FROM message_changes" in about_changes[1]
    assert "FOR " not in about_changes[1]


async def test_a_thousand_changes_take_as_many_statements_as_one(engine: AsyncEngine, tenant_id: UUID) -> None:
    ids = [f"m{number}" for number in range(1000)]
    await happen(engine, tenant_id, *(said(message_id) for message_id in (*ids, "one")))
    counted = Statements(engine)
    await happen(engine, tenant_id, edited("one", FIRST_EDIT, minutes=1))
    for_one = len(counted.sent)
    counted.sent.clear()
    outcomes = await happen(engine, tenant_id, *(edited(message_id, FIRST_EDIT, minutes=1) for message_id in ids))
    assert outcomes == [ChangeOutcome.UPDATED] * 1000
    assert len(counted.sent) <= for_one + 3  # long inserts are cut into pages
    for message_id in (ids[0], ids[-1]):
        assert (await the_lead(engine, tenant_id, message_id)).content_text == FIRST_EDIT
