"""Do one look-up: read what is owed, ask Graph with no transaction open, write down what was learned and settle in one transaction."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.lease import Claim, settle
from lead_signals.database.outlast_outage import outlast_outage
from lead_signals.enrichment.channel_token import channel_token
from lead_signals.enrichment.complete_lead import complete_lead
from lead_signals.enrichment.name_sender import name_sender
from lead_signals.enrichment.when_to_ask_again import Miss, NotFoundBecause, ask_again_after
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import GraphFailure
from lead_signals.graph_api.lead_form import LeadForm, read_lead_form
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.look_up import LookUpKind, LookUpState, look_ups
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.log_context import get_logger
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

log = get_logger(__name__)

# A row that was claimed this often in a row without anything being written down ends its worker each time.
CRASH_LIMIT = 5

# What a new token of the channel may mend.
_MENDED_BY_A_TOKEN = frozenset(
    {NotFoundBecause.NO_TOKEN, NotFoundBecause.RECONNECT, NotFoundBecause.PERMISSION, NotFoundBecause.BLOCKED, NotFoundBecause.REFUSED}
)


@dataclass(frozen=True, slots=True)
class SenderName:
    """How a sender calls themselves."""

    name: str


Learned: TypeAlias = LeadForm | SenderName | Miss


@dataclass(frozen=True, slots=True)
class _Owed:
    kind: LookUpKind
    platform: str
    channel_external_id: str
    subject_id: str
    failures: int
    age: timedelta
    found_name: str | None
    token: str | None = field(default=None, repr=False)
    told: LeadForm | None = field(default=None, repr=False)
    """The form, when its answers came with the delivery: relays and Zalo send them along."""


async def look_up(
    engine: AsyncEngine, graph: GraphClient, settings: Settings, claim: Claim, *, jitter: Callable[[], float] = random.random
) -> None:
    """One try at one look-up. The state moves only under our lease, and the lead is at worst left as it came. `jitter` gives 0..1."""
    owed = await outlast_outage("read", partial(_read_owed, engine, settings, claim), look_up_id=str(claim.id))
    if owed is None:
        return
    pause_seconds = 0.0 if owed.token is None or owed.told is not None else graph.pause_seconds(owed.token)
    if pause_seconds > 0:
        spread = timedelta(seconds=pause_seconds * (1 + jitter()))
        await outlast_outage("settle", partial(_put_off, engine, claim, owed, spread), look_up_id=str(claim.id))
        return
    learned = await _ask(graph, owed, claim)
    step = partial(_write_down, engine, settings, claim, owed=owed, learned=learned, jitter=jitter)
    counted = await outlast_outage("settle", step, look_up_id=str(claim.id))
    log.info(
        "looked_up",
        tenant_id=str(claim.tenant_id),
        look_up_id=str(claim.id),
        kind=owed.kind.value,
        outcome=learned.because.value if isinstance(learned, Miss) else "found",
        failures=owed.failures,
        counted=counted,
    )


async def _read_owed(engine: AsyncEngine, settings: Settings, claim: Claim) -> _Owed | None:
    """What to ask, and with which token; None when it is no longer ours."""
    async with tenant_session(engine, claim.tenant_id) as session:
        row = (await session.execute(select(look_ups, (func.now() - look_ups.c.created_at).label("age")).where(*_is(claim)))).one_or_none()
        if row is None:
            return None
        owed = _Owed(
            LookUpKind(row.kind),
            row.platform,
            row.channel_external_id,
            row.subject_id,
            row.failures,
            row.age,
            row.found_name,
        )
        return replace(owed, token=await _token(session, settings, claim, owed), told=await _told_form(session, claim, owed))


async def _told_form(session: TenantSession, claim: Claim, owed: _Owed) -> LeadForm | None:
    if owed.kind is not LookUpKind.LEAD_FORM:
        return None
    its_lead = (
        lead_signals.c.tenant_id == claim.tenant_id,
        lead_signals.c.platform == owed.platform,
        lead_signals.c.external_message_id == owed.subject_id,
    )
    meta = (await session.execute(select(lead_signals.c.meta).where(*its_lead))).scalar_one_or_none()
    return None if not meta or not meta.get("field_data") else read_lead_form(owed.subject_id, meta)


async def _put_off(engine: AsyncEngine, claim: Claim, owed: _Owed, pause: timedelta) -> bool:
    """Graph is to be left alone for a while: that is no try."""
    async with tenant_session(engine, claim.tenant_id) as session:
        return await settle(session, look_ups, claim, _due_in(pause, failures=owed.failures))


async def _ask(graph: GraphClient, owed: _Owed, claim: Claim) -> Learned:
    if claim.attempts - owed.failures > CRASH_LIMIT:
        log.error("look_up_crashes", look_up_id=str(claim.id), kind=owed.kind.value, attempts=claim.attempts)
        return Miss(NotFoundBecause.CRASHED)
    if owed.told is not None:
        return owed.told
    if owed.token is None:
        return Miss(NotFoundBecause.NO_TOKEN)
    if owed.kind is LookUpKind.LEAD_FORM:
        form = await graph.fetch_lead_form(owed.subject_id, owed.token)
        return _miss(form) if isinstance(form, GraphFailure) else form
    fetch = graph.fetch_instagram_profile if owed.platform == "instagram" else graph.fetch_profile
    profile = await fetch(owed.subject_id, owed.token)
    if isinstance(profile, GraphFailure):
        return _miss(profile)
    return Miss(NotFoundBecause.NO_NAME) if profile.display_name is None else SenderName(profile.display_name)


def _miss(failure: GraphFailure) -> Miss:
    return Miss(NotFoundBecause(failure.kind.value), failure.retry_after_seconds)


async def _write_down(
    engine: AsyncEngine, settings: Settings, claim: Claim, *, owed: _Owed, learned: Learned, jitter: Callable[[], float]
) -> bool:
    """False, and nothing written, when the row was claimed again since."""
    async with tenant_session(engine, claim.tenant_id) as session:
        if not await _hold(session, claim):
            return False
        if isinstance(learned, Miss):
            token_now = await _token(session, settings, claim, owed) if learned.because in _MENDED_BY_A_TOKEN else None
            return await settle(session, look_ups, claim, _after_miss(owed, learned, token_now, jitter))
        if isinstance(learned, SenderName):
            sender = {"platform": owed.platform, "author_id": owed.subject_id}
            await name_sender(session, claim.tenant_id, **sender, name=learned.name, name_before=owed.found_name)
            return await settle(session, look_ups, claim, _found(learned.name))
        await complete_lead(session, claim.tenant_id, platform=owed.platform, form=learned, policy=follow_up_policy(settings))
        return await settle(session, look_ups, claim, _found(None))


async def _hold(session: TenantSession, claim: Claim) -> bool:
    """Lock the look-up, before its leads as `request_look_ups` does: who opens a lead of this sender now waits, or we see that lead."""
    return (await session.execute(select(look_ups.c.id).where(*_is(claim)).with_for_update())).one_or_none() is not None


def _after_miss(owed: _Owed, miss: Miss, token_now: str | None, jitter: Callable[[], float]) -> dict[str, Any]:
    failures = owed.failures + 1
    because = {"last_failure": miss.because.value}
    if token_now not in (None, owed.token):  # connected again while we asked with the old token
        return _due_in(timedelta(0), failures=failures) | because
    delay = ask_again_after(owed.kind, miss, failures=failures, age=owed.age, jitter=jitter)
    if delay is None:
        return _finished(LookUpState.GIVEN_UP) | {"failures": failures} | because
    return _due_in(delay, failures=failures) | because


async def _token(session: TenantSession, settings: Settings, claim: Claim, owed: _Owed) -> str | None:
    return await channel_token(session, settings, claim.tenant_id, platform=owed.platform, external_id=owed.channel_external_id)


def _due_in(delay: timedelta, *, failures: int) -> dict[str, Any]:
    # Claims that ended in nothing are forgotten as soon as one is written down: only crashes in a row count.
    return {"state": LookUpState.PENDING.value, "failures": failures, "attempts": failures, "due_at": func.now() + delay}


def _found(name: str | None) -> dict[str, Any]:
    return _finished(LookUpState.FOUND) | {"found_at": func.now(), "found_name": name, "last_failure": None}


def _finished(state: LookUpState) -> dict[str, Any]:
    return {"state": state.value, "finished_at": func.now()}


def _is(claim: Claim) -> tuple[Any, ...]:
    return (
        look_ups.c.tenant_id == claim.tenant_id,
        look_ups.c.id == claim.id,
        look_ups.c.lease_token == claim.lease_token,
        look_ups.c.finished_at.is_(None),
    )
