"""Changes in any order, and as often as the platform likes to tell them: a message that lived the same life ends as the same lead."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.follow_up import follow_ups
from lead_signals.intent.classify import classify
from lead_signals.intent.verdict import Priority
from lead_signals.leads.apply_changes import ChangeOutcome
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.message_change import message_changes
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.lives import FIRST_EDIT, MONDAY, SAID, SECOND_EDIT, Happening, edited, happen, hidden, removed, said, shown

REMOVED, REMOVED_EARLIER, REMOVED_SOMETIME = "removed", "removed earlier", "removed sometime"
REMOVALS = {REMOVED: 30, REMOVED_EARLIER: 12, REMOVED_SOMETIME: None}
"""One removal as redeliveries tell it: minutes after it was said, None where nobody says when."""
LIFE = ("said", "first edit", "second edit", "hidden", "shown", REMOVED)
REMOVED_OFTEN = ("said", "first edit", "second edit", *REMOVALS)
LIVES = {
    "without a removal": tuple(step for step in LIFE if step != REMOVED),
    "with a removal": LIFE,
    "with removals of different times": REMOVED_OFTEN,
}
EACH_LIFE = pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())
AS_STORED = ("content_text", "intent_label", "priority", "confidence_score", "status", "meta")


def happening(step: str, message_id: str) -> Happening:
    """One step in the life of a message. It comes with what the platform says in every redelivery."""
    if step in REMOVALS:
        return removed(message_id, minutes=REMOVALS[step])
    return {
        "said": said(message_id),
        "first edit": edited(message_id, FIRST_EDIT, minutes=5, sequence=1),
        "second edit": edited(message_id, SECOND_EDIT, minutes=3, sequence=2),  # a clock that runs wrong: the count decides
        "hidden": hidden(message_id, minutes=10),
        "shown": shown(message_id, minutes=20),
    }[step]


def expected_lead(life: Sequence[str]) -> dict[str, Any]:
    """Worked out by hand."""
    is_removed = REMOVED in life
    verdict = classify(SECOND_EDIT)
    lead = {
        "content_text": SECOND_EDIT,
        "intent_label": "inquiry",
        "priority": "medium",
        "confidence_score": verdict.confidence_score,
        "status": "withdrawn" if is_removed else verdict.status,
        "meta": {
            "said_at": "2026-11-23T01:00:00+00:00",
            "parent_id": "800100200300_7",
            "permalink_url": "https://www.facebook.com/800100200300/posts/7",
            "edited": {"count": 2, "last_edited_at": "2026-11-23T01:03:00+00:00"},
            "phones": [],
            "emails": [],
            "rule_pack": verdict.rule_pack,
            "evidence": KeptVerdict.of(verdict).evidence,
        },
    }
    if is_removed:
        earliest = "01:12" if REMOVED_EARLIER in life else "01:30"
        lead["meta"]["removed_at"] = f"2026-11-23T{earliest}:00+00:00"
    return lead


def expected_history(life: Sequence[str]) -> list[tuple[Any, ...]]:
    versions = [
        (kind, sequence, MONDAY.replace(minute=minute), text, KeptVerdict.of(classify(text)).as_json())
        for kind, sequence, minute, text in (
            ("original", 0, 0, SAID),
            ("edited", 1, 5, FIRST_EDIT),
            ("edited", 2, 3, SECOND_EDIT),
        )
    ]
    seen = [(step, 0, MONDAY.replace(minute=minute), None, None) for step, minute in (("hidden", 10), ("shown", 20)) if step in life]
    told = {step: None if minute is None else MONDAY.replace(minute=minute) for step, minute in REMOVALS.items()}
    return sorted([*versions, *seen, *(("removed", 0, told[step], None, None) for step in REMOVALS if step in life)], key=str)


def test_the_life_we_tell_has_all_three_priorities() -> None:
    priorities = [classify(text).priority for text in (SAID, FIRST_EDIT, SECOND_EDIT)]
    assert priorities == [Priority.LOW, Priority.HIGH, Priority.MEDIUM]


@EACH_LIFE
async def test_every_order_ends_in_the_same_lead(engine: AsyncEngine, tenant_id: UUID, life: Sequence[str]) -> None:
    """A message for each order; the first steps of all of them arrive in one transaction, then the second steps, and so on."""
    orders = {f"m{number}": order for number, order in enumerate(permutations(life))}
    assert len(orders) in (120, 720)
    for step in range(len(life)):
        batch = [happening(order[step], message_id) for message_id, order in orders.items()]
        outcomes = await happen(engine, tenant_id, *batch)
        waiting = sum("said" not in order[: step + 1] for order in orders.values())
        assert Counter(outcomes)[ChangeOutcome.WAITING] == waiting
        assert ChangeOutcome.DUPLICATE not in outcomes
    await assert_all_alike(engine, tenant_id, orders, life)

    before = await everything(engine, tenant_id)
    for step in reversed(range(len(life))):
        again = [happening(order[step], message_id) for message_id, order in orders.items()]
        assert set(await happen(engine, tenant_id, *again)) <= {ChangeOutcome.DUPLICATE}
    assert await everything(engine, tenant_id) == before, "telling it all again changes not even updated_at"


@pytest.mark.parametrize("seed", [7, 508, 2026])
@EACH_LIFE
async def test_repetitions_and_deliveries_of_any_size_change_nothing(
    engine: AsyncEngine, tenant_id: UUID, life: Sequence[str], seed: int
) -> None:
    """Each step one to three times, shuffled, and cut into deliveries anywhere: several steps of a message may share one."""
    chance = random.Random(seed)
    orders = {f"m{number}": _told_often(life, chance) for number in range(60)}
    rest = {message_id: list(order) for message_id, order in orders.items()}
    outcomes: Counter[ChangeOutcome] = Counter()
    while any(rest.values()):
        batch = []
        for message_id, steps in rest.items():
            cut = chance.randint(0, 3)
            batch += [happening(step, message_id) for step in steps[:cut]]
            del steps[:cut]
        outcomes.update(await happen(engine, tenant_id, *batch))
    changes_told = sum(len(order) - order.count("said") for order in orders.values())
    assert outcomes.total() == changes_told
    assert outcomes[ChangeOutcome.DUPLICATE] == changes_told - len(orders) * (len(life) - 1)
    await assert_all_alike(engine, tenant_id, orders, life)


def _told_often(life: Sequence[str], chance: random.Random) -> list[str]:
    steps = [step for step in life for _ in range(chance.randint(1, 3))]
    chance.shuffle(steps)
    return steps


async def assert_all_alike(engine: AsyncEngine, tenant_id: UUID, orders: Mapping[str, Sequence[str]], life: Sequence[str]) -> None:
    async with tenant_session(engine, tenant_id) as session:
        leads = (await session.execute(select(lead_signals))).mappings().all()
        changes = (await session.execute(select(message_changes))).all()
        unfinished = (
            await session.execute(select(follow_ups.c.lead_id, follow_ups.c.state).where(follow_ups.c.finished_at.is_(None)))
        ).all()
    histories: dict[str, list[tuple[Any, ...]]] = {}
    for row in changes:
        told = (row.kind, row.sequence, row.changed_at, row.content_text, row.verdict)
        histories.setdefault(row.external_message_id, []).append(told)
    wanted_lead, wanted_history = expected_lead(life), expected_history(life)
    assert {lead["external_message_id"] for lead in leads} == orders.keys()
    for lead in leads:
        order = orders[lead["external_message_id"]]
        assert {name: lead[name] for name in AS_STORED} == wanted_lead, order
        assert sorted(histories[lead["external_message_id"]], key=str) == wanted_history, order
    # Urgent once is owed once, whatever it says now; taken back is owed nothing.
    wanted_owed = [] if REMOVED in life else sorted((lead["id"], "pending") for lead in leads)
    assert sorted(map(tuple, unfinished)) == wanted_owed


async def everything(engine: AsyncEngine, tenant_id: UUID) -> list[Any]:
    async with tenant_session(engine, tenant_id) as session:
        return [(await session.execute(select(table).order_by(table.c.id))).all() for table in (lead_signals, message_changes, follow_ups)]
