"""Admit what was kept: deliveries for Pages nobody had connected become leads once their Page is connected. People waited for it."""

import asyncio
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.intake_metrics import count_admissions
from lead_signals.intake.prepare import Prepared, prepare
from lead_signals.intake.route_delivery import Incoming
from lead_signals.intake.unrouted_delivery import KeptDelivery, claim_kept, connected_channels_with_kept, mark_admitted
from lead_signals.json_body import JsonObject, MalformedBody, parse_json_body
from lead_signals.log_context import get_logger
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import tenants_of_channels
from lead_signals.tenancy.tenant_session import across_tenants_session

log = get_logger(__name__)

AT_ONCE = 20  # at most 20 MiB, and a small part of the line: fresh deliveries come first

_Place: TypeAlias = tuple[datetime, UUID]


async def admit_all_kept(engine: AsyncEngine, commits: GroupCommit) -> int:
    """Admit what is kept of every channel that is connected now; how many deliveries. For channels connected from the command line."""
    async with across_tenants_session(engine) as session:
        waiting = await connected_channels_with_kept(session)
    return sum([await admit_kept(engine, commits, platform, external_id) for platform, external_id in waiting])


async def admit_kept(engine: AsyncEngine, commits: GroupCommit, platform: str, channel_external_id: str) -> int:
    """Admit the kept deliveries of one connected channel, oldest first, as the door admits fresh ones; how many were admitted.

    Follow-ups are promised as for fresh deliveries. One that is refused stays kept for the next call, and is logged. Two that call
    this at once share the deliveries between them. A crash between a delivery's commit and its mark admits it again, and finds its
    messages there already. Raises what the database raises.
    """
    adapter = ADAPTERS.get(platform)
    if adapter is None:
        log.error("kept_delivery_of_unknown_platform", platform=platform)
        return 0
    admitted, place = 0, None
    while True:
        marked, place = await _admit_some(engine, commits, adapter, channel_external_id, place)
        admitted += marked
        if place is None:
            break
    if admitted:
        log.info("kept_deliveries_admitted", platform=platform, deliveries=admitted)
    return admitted


async def _admit_some(
    engine: AsyncEngine, commits: GroupCommit, adapter: Adapter, channel_external_id: str, after: _Place | None
) -> tuple[int, _Place | None]:
    """How many were admitted, and the place of the last one; None when there is no more to do.

    The rows stay locked while the door writes them on connections of its own, some milliseconds: nobody else admits them meanwhile.
    """
    async with across_tenants_session(engine) as session:
        if not await tenants_of_channels(session, adapter.platform, [channel_external_id]):
            return 0, None  # disconnected again: the door would keep them a second time
        kept = await claim_kept(session, adapter.platform, channel_external_id, after=after, limit=AT_ONCE)
        answers = await asyncio.gather(*(_admit(commits, adapter, delivery) for delivery in kept), return_exceptions=True)
        admitted = [delivery.id for delivery, answer in zip(kept, answers, strict=True) if not isinstance(answer, BaseException)]
        await mark_admitted(session, admitted)
    failures = [answer for answer in answers if isinstance(answer, BaseException)]
    for failure in failures:
        if not isinstance(failure, RefusedRequest | MalformedBody):
            raise failure
        log.warning("kept_delivery_refused", platform=adapter.platform, reason=str(failure.reason))
    is_full = any(isinstance(failure, RefusedRequest) and failure.reason in ("line_full", "held_up") for failure in failures)
    return len(admitted), (kept[-1].received_at, kept[-1].id) if kept and not is_full else None


async def _admit(commits: GroupCommit, adapter: Adapter, delivery: KeptDelivery) -> None:
    body, prepared = await beside_the_loop(len(delivery.body), _understand, delivery.body, adapter)
    _, admissions = await commits.admit(Incoming(adapter, delivery.body, body, prepared, None, signed=True))
    count_admissions(adapter.platform, admissions)


def _understand(raw_body: bytes, adapter: Adapter) -> tuple[JsonObject, Prepared]:
    body = parse_json_body(raw_body)
    return body, prepare(adapter.read_signals(body, clock.now()))
