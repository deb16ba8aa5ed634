"""The worker entrance: assembles what is owed, in how many hands, and how it ends. It holds no logic.

Run as many as you like; they share the work by claiming rows. SIGTERM: nothing more is claimed, what runs finishes, the rest goes back.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.connections.app_graph import app_graph, graph_http_client
from lead_signals.connections.channel_check_work import channel_check_work
from lead_signals.connections.watch_silence import WATCH_SECONDS, watch_silence
from lead_signals.database.availability import database_is_away
from lead_signals.database.due_work import DueWork, run_due_work
from lead_signals.database.engine import app_engine
from lead_signals.database.every_so_often import Round, run_every
from lead_signals.database.heartbeat import BEAT_SECONDS, beat, say_goodbye
from lead_signals.database.migrate import wait_for_migration
from lead_signals.database.new_id import new_id
from lead_signals.database.wake_up import listen_for_due_work
from lead_signals.enrichment.look_up_work import look_up_work
from lead_signals.followups.delivering.delivery_work import delivery_work
from lead_signals.followups.destinations.outbound import open_outbound
from lead_signals.followups.endpoints.cancel_owed import cancel_owed_to_removed
from lead_signals.followups.endpoints.known_endpoints import KnownEndpoints
from lead_signals.followups.endpoints.renew_seals import RENEW_SEALS_SECONDS, renew_seals
from lead_signals.intake.admit_kept import admit_all_kept
from lead_signals.intake.age_receipts import age_receipts
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.heard_channels import heard_channels
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.log_context import get_logger
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.second_opinion.opinion_answer import forget_old_answers
from lead_signals.second_opinion.opinion_work import opinion_work
from lead_signals.settings import Settings

log = get_logger(__name__)

# Follow-ups take no connection each: a claim, a batch that settles, a renewal, a look at the endpoints, a pause.
DELIVERY_CONNECTIONS = 5
OTHER_CONNECTIONS = 17  # look-ups, opinions, checks, rounds and their locks, the heartbeat
ADMIT_KEPT_SECONDS = 10.0  # somebody has just connected a Page and waits to see what it said before
AGE_RECEIPTS_SECONDS = 3600.0
CANCEL_OWED_SECONDS = 600.0
FORGET_ANSWERS_SECONDS = 3600.0


async def run_worker(database_address: str, settings: Settings, *, lease_seconds: float = 20.0) -> None:
    """Work until SIGTERM or SIGINT. Survives the loss of the database; raises only what is a defect of ours."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stop.set)
    engine = app_engine(
        database_address,
        application_name="lead-signals worker",
        pool_size=DELIVERY_CONNECTIONS + OTHER_CONNECTIONS,
        production=settings.app_env == "production",
    )
    async with (
        open_outbound(settings) as outbound,
        graph_http_client() as graph_client,
        _opinions(engine, settings, lease_seconds) as opinions,
    ):
        graph = app_graph(settings, graph_client)
        endpoints = KnownEndpoints(engine, settings, outbound)
        works = [
            delivery_work(engine, endpoints, longest_attempt_seconds=settings.follow_up_timeout_seconds, lease_seconds=lease_seconds),
            look_up_work(engine, graph, settings, lease_seconds=lease_seconds),
            channel_check_work(engine, graph, settings, lease_seconds=lease_seconds),
            *opinions,
        ]
        wakes = {work.name: asyncio.Event() for work in works}
        await wait_for_migration(engine, stop=stop)
        if stop.is_set():
            await engine.dispose()
            return
        await _look_at_endpoints(endpoints, settings)
        log.info("worker_started", works=[work.name for work in works])
        async with asyncio.TaskGroup() as group:
            group.create_task(_keep_beating(engine, stop))
            group.create_task(listen_for_due_work(database_address, wakes, stop=stop))
            for work in works:
                group.create_task(run_due_work(work, stop=stop, wake=wakes[work.name]))
            group.create_task(endpoints.keep_fresh(stop))
            packs = ActivePacks(engine)
            group.create_task(packs.keep_fresh(stop))
            for name, do_round, every_seconds in _rounds(engine, settings, packs):
                group.create_task(run_every(engine, name, do_round, every_seconds=every_seconds, stop=stop))
    await engine.dispose()
    log.info("worker_stopped")


async def _look_at_endpoints(endpoints: KnownEndpoints, settings: Settings) -> None:
    """Before the first claim; while the database is away nobody is called, and the next look comes in two seconds."""
    if settings.webhook_url is None:
        log.warning("no_follow_up_receiver", hint="WEBHOOK_URL is empty: only tenants with an endpoint are told of their leads")
    try:
        await endpoints.refresh()
    except Exception as error:
        if not database_is_away(error):
            raise
        log.warning("endpoints_wait_for_database", error=error.__class__.__name__)


@asynccontextmanager
async def _opinions(engine: AsyncEngine, settings: Settings, lease_seconds: float) -> AsyncIterator[list[DueWork]]:
    """Nothing of it is even imported by a worker that asks no model."""
    if settings.openai_api_key is None or settings.openai_model is None or not settings.asks_language_model:
        if settings.lead_classify_use_llm:
            log.warning("no_language_model", hint="LEAD_CLASSIFY_USE_LLM needs OPENAI_API_KEY and OPENAI_MODEL: nothing is asked")
        yield []
        return
    from lead_signals.language_model.model_client import open_model  # noqa: PLC0415 - 40 MB that only who asks a model pays

    async with open_model(
        api_key=settings.openai_api_key.get_secret_value(),
        base_url=settings.openai_base_url,
        name=settings.openai_model,
        timeout_seconds=settings.lead_classify_llm_timeout_seconds,
    ) as model:
        yield [opinion_work(engine, model, settings, lease_seconds=lease_seconds)]


def _rounds(engine: AsyncEngine, settings: Settings, packs: ActivePacks) -> list[tuple[str, Round, float]]:
    """What is done over everything, every so many seconds, by one worker at a time."""
    commits = GroupCommit(engine, follow_up_policy(settings), packs=packs)
    return [
        ("admit_kept", partial(admit_all_kept, engine, commits), ADMIT_KEPT_SECONDS),
        ("watch_silence", partial(watch_silence, engine, heard_channels, now=clock.now), WATCH_SECONDS),
        ("cancel_owed", partial(cancel_owed_to_removed, engine), CANCEL_OWED_SECONDS),
        ("renew_seals", lambda: renew_seals(engine, settings, now=clock.now()), RENEW_SEALS_SECONDS),
        ("forget_answers", partial(forget_old_answers, engine), FORGET_ANSWERS_SECONDS),
        ("age_receipts", lambda: age_receipts(engine, settings.receipt_retention_days, clock.now()), AGE_RECEIPTS_SECONDS),
    ]


async def _keep_beating(engine: AsyncEngine, stop: asyncio.Event) -> None:
    worker_id = new_id()
    while not stop.is_set():
        try:
            async with engine.begin() as connection:
                await beat(connection, worker_id)
        except Exception as error:
            log.warning("heartbeat_missed", error=error.__class__.__name__)
        try:
            await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
        except TimeoutError:
            continue
    try:
        async with engine.begin() as connection:
            await say_goodbye(connection, worker_id)
    except Exception as error:
        log.warning("goodbye_missed", error=error.__class__.__name__)
