"""What must hold for work to flow: a database, on the newest revision, with a worker that beats, promises that are kept, channels heard."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.connections.channel_health import ChannelHealth, channel_health
from lead_signals.database.availability import database_is_away, why_away
from lead_signals.database.engine import UnsafeDatabaseError, assert_safe
from lead_signals.database.heartbeat import workers_seen
from lead_signals.database.migrate import NEWER_DATABASE, revision_of
from lead_signals.enrichment.waiting_look_ups import WaitingLookUps, waiting_look_ups
from lead_signals.followups.endpoints.endpoint_health import EndpointHealth, endpoint_health
from lead_signals.followups.oversight.follow_up_numbers import FollowUpNumbers, follow_up_numbers
from lead_signals.intake.unrouted_delivery import UnknownChannel, count_kept_for_connected, unknown_channels
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, across_tenants_session


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold; `sentence` says how it is, and what to do when it is not well."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """`status`: "ready"; "degraded" (deliveries are taken, but follow-ups wait); "unready" (nothing can be taken).

    A channel that is quiet or needs a hand is told and changes nothing of that: it is one tenant's trouble. An endpoint that takes nothing
    is told in the same way: no follow-up is lost by it.
    """

    status: str
    database: Check
    migrations: Check
    worker: Check
    channels: Check
    endpoints: Check
    endpoint_health: EndpointHealth = field(default_factory=EndpointHealth)
    follow_ups: FollowUpNumbers | None = None
    unknown_channels: tuple[UnknownChannel, ...] = ()
    kept_for_connected: int = 0
    channel_troubles: ChannelHealth = field(default_factory=ChannelHealth)
    waiting_look_ups: tuple[WaitingLookUps, ...] = ()


async def readiness(engine: AsyncEngine, settings: Settings, *, newest_revision: str, thorough: bool) -> Readiness:
    """Look now. Never raises because the database is away: that is an answer.

    `thorough` also counts what is owed, what came of the last hour, and the unknown Pages: for those who hold the key, not for `/ready`.
    """
    not_asked = Check(ok=False, sentence="not known while the database is away")
    try:
        async with across_tenants_session(engine) as session:
            return await _look(session, settings, newest_revision, thorough=thorough)
    except UnsafeDatabaseError as unsafe:
        return Readiness("unready", Check(ok=False, sentence=str(unsafe)), not_asked, not_asked, not_asked, not_asked)
    except Exception as error:
        if not database_is_away(error):
            raise
        sentence = f"PostgreSQL cannot be used ({why_away(error)}): is it up, is DATABASE_URL right, did alembic upgrade head run once?"
        return Readiness("unready", Check(ok=False, sentence=sentence), not_asked, not_asked, not_asked, not_asked)


async def _look(session: AcrossTenantsSession, settings: Settings, newest_revision: str, *, thorough: bool) -> Readiness:
    await assert_safe(session)
    database = Check(ok=True, sentence="reachable")
    revision = await revision_of(session)
    if revision != newest_revision:
        # Revisions are named by their date, so a later name is a newer database.
        advice = NEWER_DATABASE if revision is not None and revision > newest_revision else "run alembic upgrade head"
        sentence = f"at {revision or 'nothing'}, this program needs {newest_revision}: {advice}"
        unknown = Check(ok=False, sentence="not known before the migration")
        return Readiness("unready", database, Check(ok=False, sentence=sentence), unknown, unknown, unknown)
    workers = await workers_seen(session)
    worker = Check(ok=workers.alive > 0, sentence=_workers(workers.alive, workers.last_beat_at))
    troubles = await channel_health(session)
    endpoints = await endpoint_health(session, settings)
    return Readiness(
        "ready" if worker.ok else "degraded",
        database,
        Check(ok=True, sentence=f"at {revision}"),
        worker,
        _channels(troubles),
        _endpoints(endpoints),
        endpoints,
        await follow_up_numbers(session, settings) if thorough else None,
        tuple(await unknown_channels(session)) if thorough else (),
        await count_kept_for_connected(session) if thorough else 0,
        troubles if thorough else ChannelHealth(),
        tuple(await waiting_look_ups(session)) if thorough else (),
    )


def _workers(alive: int, last_beat_at: datetime | None) -> str:
    if alive:
        return f"{alive} beating"
    when = "never seen" if last_beat_at is None else f"last beat at {last_beat_at.isoformat(timespec='seconds')}"
    return f"no worker beats ({when}): start one with lead-signals worker; follow-ups wait until then"


def _channels(troubles: ChannelHealth) -> Check:
    """Counts alone: /ready is open to machines nearby, and says nothing about a tenant."""
    quiet, broken = len(troubles.quiet), len(troubles.needing_a_hand)
    if not quiet and not broken:
        return Check(ok=True, sentence="all heard as usual")
    return Check(ok=False, sentence=f"{quiet} far quieter than their habit, {broken} with a token or subscription to mend: see doctor")


def _endpoints(seen: EndpointHealth) -> Check:
    """Counts alone, as for channels."""
    if seen.is_well:
        return Check(ok=True, sentence="no endpoint fails")
    told = [f"{_many(seen.failing, 'endpoint takes', 'endpoints take')} nothing"] if seen.failing else []
    told += [f"{_many(seen.gone, 'endpoint is', 'endpoints are')} gone"] if seen.gone else []
    told += ["WEBHOOK_URL is paused by a person"] if seen.operators_is_paused else []
    return Check(ok=False, sentence=f"{', '.join(told)}: see doctor")


def rule_packs_check(packs: ActivePacks) -> Check:
    """Whether the own rules of every tenant that has some in force can be used; counts alone, as for channels."""
    if not packs.is_loaded:
        return Check(ok=False, sentence="not known before the database was asked")
    count = len(packs.unusable)
    if count == 0:
        return Check(ok=True, sentence="all usable")
    whose = _many(count, "tenant", "tenants")
    return Check(ok=False, sentence=f"the own rules of {whose} cannot be used, and the packaged ones judge meanwhile: see doctor")


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
