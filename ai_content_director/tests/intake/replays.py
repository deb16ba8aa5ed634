"""Replays as tests run them, and the code of yesterday that they are about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.prepare import Prepared, prepare
from lead_signals.intake.replay import ReplayedPart, ReplayPlan, measure_replay, replay
from lead_signals.intake.replay_report import rows_of
from lead_signals.intake.replay_summary import ReplaySummary
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.platforms.inbound_signal import IgnoredItem, Reading

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


def plan(tenant_id: UUID, rule_pack: RulePack | None = None, *, write: bool = False) -> ReplayPlan:
    """All receipts of one tenant."""
    return ReplayPlan(LONG_AGO, LONG_AFTER, tenant_id, rule_pack, write)


async def parts_of(engine: AsyncEngine, of: ReplayPlan, at_once: int = 200) -> list[ReplayedPart]:
    """The whole replay, part by part."""
    size = await measure_replay(engine, of)
    return [part async for part in replay(engine, of, size.tenants, at_once=at_once)]


async def replayed(engine: AsyncEngine, of: ReplayPlan, at_once: int = 200) -> ReplaySummary:
    """The whole replay, counted."""
    summary = ReplaySummary(without_body=(await measure_replay(engine, of)).without_body)
    for part in await parts_of(engine, of, at_once):
        summary.add(part)
    return summary


async def rows(engine: AsyncEngine, of: ReplayPlan, at_once: int = 200) -> list[dict[str, Any]]:
    """The differences of a whole replay."""
    return [row for part in await parts_of(engine, of, at_once) for row in rows_of(part)]


def older_code(word: str) -> Callable[[Reading], Prepared]:
    """Code that ignores what holds this word, and every change of what was said."""

    def older(reading: Reading) -> Prepared:
        prepared = prepare(reading)
        passed_over = [
            *(lead for lead in prepared.leads if word in lead.content_text),
            *prepared.changes,
        ]
        ignored = [IgnoredItem("unknown_verb", item.channel_external_id) for item in passed_over]
        kept = tuple(lead for lead in prepared.leads if word not in lead.content_text)
        return replace(prepared, leads=kept, changes=(), ignored=(*prepared.ignored, *ignored))

    return older
