"""Opinions as the worker gives them: few at once, for a model is slow and paid for, and leads are useful without it."""

from functools import partial
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.due_work import DueWork
from lead_signals.language_model.asked import LanguageModel
from lead_signals.leads.opinion_request import OPINION_WORK, OpinionState, opinion_requests
from lead_signals.second_opinion.give_opinion import OpinionGiver
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session

OPINIONS_AT_ONCE: Final = 4


def opinion_work(
    engine: AsyncEngine, model: LanguageModel, settings: Settings, *, lease_seconds: float = 20.0, giver: OpinionGiver | None = None
) -> DueWork:
    """The kind of work that opinions are. One giver for all of them: it remembers how the server fares."""
    return DueWork(
        name=OPINION_WORK,
        table=opinion_requests,
        working_state=OpinionState.ASKING.value,
        do_one=(giver or OpinionGiver(engine, model, settings)).give_opinion,
        across_tenants=partial(across_tenants_session, engine),
        concurrency=OPINIONS_AT_ONCE,
        lease_seconds=lease_seconds,
        # Asking again costs a call of the day: what runs may end by itself, within reason.
        drain_seconds=min(settings.lead_classify_llm_timeout_seconds + 2.0, 12.0),
    )
