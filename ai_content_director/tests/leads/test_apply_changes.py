"""What a change does to its lead: the text and its verdict, the lane, what people decided, who is told, and what is written down."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import audit_events
from lead_signals.intent.classify import classify
from lead_signals.leads import record_changes
from lead_signals.leads.apply_changes import ChangeOutcome
from lead_signals.leads.changed_lead import LANES
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.leads.record_changes import fingerprint
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.hostile_texts import HOSTILE_TEXTS
from tests.leads.lives import (
    FIRST_EDIT,
    MONDAY,
    SAID,
    SECOND_EDIT,
    edited,
    happen,
    hidden,
    history,
    removed,
    said,
    shown,
    the_lead,
)

UPDATED, DUPLICATE, WAITING, TOO_MANY = ChangeOutcome.UPDATED, ChangeOutcome.DUPLICATE, ChangeOutcome.WAITING, ChangeOutcome.TOO_MANY


async def decide(engine: AsyncEngine, lead: Lead, status: LeadStatus) -> None:
    """A person moves the lead on."""
    async with tenant_session(engine, lead.tenant_id) as session:
        await session.execute(update(lead_signals).where(lead_signals.c.id == lead.id).values(status=status.value))


async def told(engine: AsyncEngine, lead: Lead) -> list[tuple[str, dict[str, Any]]]:
    """The lead's audit events, oldest first."""
    async with tenant_session(engine, lead.tenant_id) as session:
        rows = await session.execute(
            select(audit_events.c.event_type, audit_events.c.detail).where(audit_events.c.entity_id == lead.id).order_by(audit_events.c.id)
        )
        return [(row.event_type, row.detail) for row in rows]


# ---- what the door counts ----


async def test_each_change_is_updated_or_duplicate_or_waiting(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"))
    edit = edited("a", SECOND_EDIT, minutes=1)
    early = hidden("b", minutes=1)
    assert await happen(engine, tenant_id, early, edit, edit, removed("a")) == [WAITING, UPDATED, DUPLICATE, UPDATED]
    later_telling = removed("a", minutes=99)
    assert await happen(engine, tenant_id, edit, removed("a"), later_telling, early) == [DUPLICATE, DUPLICATE, UPDATED, DUPLICATE]
    assert await happen(engine, tenant_id, said("b")) == []
    assert (await the_lead(engine, tenant_id, "b")).meta["hidden"] is True


async def test_a_flood_of_edits_ends_and_a_removal_still_counts(
    engine: AsyncEngine, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_changes, "MOST_CHANGES", 3)
    await happen(engine, tenant_id, said("a"), said("b"))
    flood = [edited("a", f"lần {number}", minutes=number) for number in range(5)]
    # The original is written down with the first edit, and is one of the three.
    assert await happen(engine, tenant_id, *flood[:2]) == [UPDATED, UPDATED]
    assert await happen(engine, tenant_id, *flood[2:], edited("b", SECOND_EDIT, minutes=1)) == [TOO_MANY, TOO_MANY, TOO_MANY, UPDATED]
    assert (await the_lead(engine, tenant_id, "a")).content_text == "lần 1"
    assert await happen(engine, tenant_id, removed("a")) == [UPDATED]
    assert (await the_lead(engine, tenant_id, "a")).status == LeadStatus.WITHDRAWN


async def test_nothing_told_costs_nothing_and_means_nothing(engine: AsyncEngine, tenant_id: UUID) -> None:
    assert await happen(engine, tenant_id) == []


async def test_a_change_reaches_only_its_own_message(engine: AsyncEngine, tenant_id: UUID) -> None:
    """The same id on another platform is another message, and so is the same id with another tenant."""
    other = (await onboard_tenant(engine, Onboarding(tenant_name="Hàng xóm"))).tenant.id
    await happen(engine, tenant_id, said("a"), said("b"), said("a", platform="zalo"), said("b", platform="zalo"))
    await happen(engine, other, said("a"))
    before = await the_lead(engine, other, "a")
    assert await happen(engine, tenant_id, removed("a"), removed("b", platform="zalo")) == [UPDATED, UPDATED]
    statuses = {
        (platform, message_id): (await the_lead(engine, tenant_id, message_id, platform)).status
        for platform in ("facebook", "zalo")
        for message_id in ("a", "b")
    }
    lane = classify(SAID).status
    withdrawn = "withdrawn"
    assert statuses == {("facebook", "a"): withdrawn, ("facebook", "b"): lane, ("zalo", "a"): lane, ("zalo", "b"): withdrawn}
    assert await the_lead(engine, other, "a") == before
    assert await happen(engine, other, said("never here"), edited("b", SECOND_EDIT, minutes=1)) == [WAITING]


async def test_leads_without_a_message_id_are_opened_beside_changes(engine: AsyncEngine, tenant_id: UUID) -> None:
    nameless = said("a", external_message_id=None)
    assert await happen(engine, tenant_id, nameless, nameless, removed("a")) == [WAITING]


def test_a_change_is_known_again_by_what_it_says() -> None:
    edit = edited("a", SECOND_EDIT, minutes=1, sequence=1)
    others = [
        replace(edit, sequence=2),
        replace(edit, changed_at=None),
        replace(edit, content_text=SECOND_EDIT + "!"),
        hidden("a", minutes=1),
        shown("a", minutes=1),
        hidden("a", minutes=2),
        removed("a"),
        removed("a", minutes=31),
        removed("a", minutes=None),
    ]
    assert len({fingerprint(change) for change in (edit, *others)}) == 10
    assert fingerprint(replace(edit, external_message_id="b", receipt_id=UUID(int=0))) == fingerprint(edit)


# ---- edits ----


async def test_an_edit_brings_its_text_its_verdict_and_its_lane(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a", "zuka"))
    before = await the_lead(engine, tenant_id, "a")
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5))
    lead = await the_lead(engine, tenant_id, "a")
    verdict = classify(FIRST_EDIT)
    assert (lead.content_text, lead.intent_label, lead.priority, lead.confidence_score, lead.status) == (
        FIRST_EDIT, "inquiry_price", "high", verdict.confidence_score, verdict.status,
    )  # fmt: skip
    assert lead.status != before.status
    assert lead.meta["phones"] == ["+84912345678"]
    for seen in lead.meta["evidence"]:
        assert 0 <= seen["start"] < seen["end"] <= len(FIRST_EDIT)
    assert lead.meta["edited"] == {"count": 1, "last_edited_at": "2026-11-23T01:05:00+00:00"}
    assert lead.meta["parent_id"] == before.meta["parent_id"], "what the delivery told beside the text stays"
    assert (lead.created_at, lead.author_name) == (before.created_at, before.author_name)
    assert lead.updated_at > before.updated_at


async def test_the_first_words_are_kept(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"))
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5))
    await happen(engine, tenant_id, edited("a", SECOND_EDIT, minutes=9))
    versions = await history(engine, tenant_id, "a")
    assert [(version.kind, version.content_text) for version in versions] == [
        ("original", SAID), ("edited", FIRST_EDIT), ("edited", SECOND_EDIT),
    ]  # fmt: skip
    lead = await the_lead(engine, tenant_id, "a")
    assert (versions[0].received_at, versions[0].changed_at) == (lead.created_at, MONDAY)
    assert [version.verdict.intent_label for version in versions if version.verdict] == ["thanks", "inquiry_price", "inquiry"]


async def test_edits_nobody_counts_or_times_end_the_same_way_for_everybody(engine: AsyncEngine, tenant_id: UUID) -> None:
    first, second = edited("a", "Giá sỉ bao nhiêu", minutes=None), edited("a", "Giá lẻ bao nhiêu", minutes=None)
    await happen(engine, tenant_id, said("a"), first)
    await happen(engine, tenant_id, second)
    twin = [replace(change, external_message_id="b") for change in (second, first)]
    await happen(engine, tenant_id, twin[0])
    await happen(engine, tenant_id, said("b"), twin[1])
    assert (await the_lead(engine, tenant_id, "a")).content_text == (await the_lead(engine, tenant_id, "b")).content_text
    timed = edited("a", SECOND_EDIT, minutes=-600)
    await happen(engine, tenant_id, timed)
    lead = await the_lead(engine, tenant_id, "a")
    assert lead.content_text == SECOND_EDIT, "any time is later than none"
    assert lead.meta["edited"]["count"] == 3


async def test_an_edit_that_says_the_same_keeps_a_newer_reading(engine: AsyncEngine, tenant_id: UUID) -> None:
    """Newer rules may have read the lead again: an older edit that comes late must not bring the old verdict back."""
    await happen(engine, tenant_id, said("a"))
    await happen(engine, tenant_id, edited("a", SECOND_EDIT, minutes=9))
    lead = await the_lead(engine, tenant_id, "a")
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(update(lead_signals).where(lead_signals.c.id == lead.id).values(intent_label="complaint", status="new_auto"))
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5))
    lead = await the_lead(engine, tenant_id, "a")
    assert (lead.content_text, lead.intent_label, lead.status, lead.meta["edited"]["count"]) == (SECOND_EDIT, "complaint", "new_auto", 2)


# ---- what people decided ----

DECIDED = [status for status in LeadStatus if status not in LANES]


@pytest.mark.parametrize("status", DECIDED)
async def test_an_edit_moves_no_lead_that_a_person_moved(engine: AsyncEngine, tenant_id: UUID, status: LeadStatus) -> None:
    await happen(engine, tenant_id, said("a"))
    await decide(engine, await the_lead(engine, tenant_id, "a"), status)
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5))
    lead = await the_lead(engine, tenant_id, "a")
    assert (lead.status, lead.content_text, lead.priority) == (status, FIRST_EDIT, "high")


@pytest.mark.parametrize("status", list(LeadStatus))
async def test_a_removal_withdraws_only_what_nobody_works_on(engine: AsyncEngine, tenant_id: UUID, status: LeadStatus) -> None:
    await happen(engine, tenant_id, said("a"))
    await decide(engine, await the_lead(engine, tenant_id, "a"), status)
    await happen(engine, tenant_id, removed("a"))
    lead = await the_lead(engine, tenant_id, "a")
    is_open = status in {LeadStatus.NEW_AUTO, LeadStatus.NEW_DRAFT, LeadStatus.NEW_ESCALATE, LeadStatus.CONFIRMED}
    assert lead.status == ("withdrawn" if is_open else status)
    assert lead.meta["removed_at"] == "2026-11-23T01:30:00+00:00"


async def test_who_takes_a_removed_lead_up_again_has_decided(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"), removed("a"))
    await decide(engine, await the_lead(engine, tenant_id, "a"), LeadStatus.CONFIRMED)
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=5), hidden("a", minutes=6))
    assert (await the_lead(engine, tenant_id, "a")).status == "confirmed"


async def test_a_removal_without_a_time_has_the_time_we_heard_of_it(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"), removed("a", minutes=None))
    (removal,) = await history(engine, tenant_id, "a")
    assert (await the_lead(engine, tenant_id, "a")).meta["removed_at"] == removal.received_at.isoformat()


async def test_an_earlier_removal_that_comes_later_corrects_the_time_and_nothing_else(engine: AsyncEngine, tenant_id: UUID) -> None:
    """Nobody hears of it twice, and who took the lead up again since has decided."""
    await happen(engine, tenant_id, said("a", FIRST_EDIT), said("b"))
    await happen(engine, tenant_id, removed("a", minutes=None), removed("b", minutes=None))
    await happen(engine, tenant_id, removed("a", minutes=30), removed("b", minutes=30))
    before = await the_lead(engine, tenant_id, "a")
    assert before.meta["removed_at"] == "2026-11-23T01:30:00+00:00", "what is told is better than when we heard of it"
    await decide(engine, before, LeadStatus.CONFIRMED)
    assert await happen(engine, tenant_id, removed("a", minutes=12), removed("a", minutes=50)) == [UPDATED, UPDATED]
    lead = await the_lead(engine, tenant_id, "a")
    assert (lead.status, lead.meta["removed_at"]) == ("confirmed", "2026-11-23T01:12:00+00:00")
    assert (await the_lead(engine, tenant_id, "b")).status == "withdrawn"
    assert [event_type for event_type, _ in await told(engine, lead)] == ["LEAD_SIGNAL_WITHDRAWN"]
    async with tenant_session(engine, tenant_id) as session:
        kinds = (await session.execute(select(audit_events.c.event_type))).scalars().all()
    assert kinds.count("FOLLOW_UP_CANCELLED") == 1
    assert [change.kind for change in await history(engine, tenant_id, "a")] == ["removed"] * 4


async def test_hidden_is_a_flag_and_goes(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"), hidden("a", minutes=1))
    before = await the_lead(engine, tenant_id, "a")
    assert (before.meta["hidden"], before.status) == (True, classify(SAID).status)
    await happen(engine, tenant_id, shown("a", minutes=2))
    assert "hidden" not in (await the_lead(engine, tenant_id, "a")).meta
    await happen(engine, tenant_id, hidden("a", minutes=1.5))
    assert "hidden" not in (await the_lead(engine, tenant_id, "a")).meta, "that was before"


# ---- what is written down ----


async def test_what_happened_is_audited_once_and_without_a_word_of_it(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"))
    for change in (edited("a", FIRST_EDIT, minutes=1), hidden("a", minutes=2), hidden("a", minutes=3), shown("a", minutes=4), removed("a")):
        await happen(engine, tenant_id, change)
        await happen(engine, tenant_id, change)
    lead = await the_lead(engine, tenant_id, "a")
    events = await told(engine, lead)
    assert [event_type for event_type, _ in events] == [
        "LEAD_SIGNAL_EDITED", "LEAD_SIGNAL_HIDDEN", "LEAD_SIGNAL_SHOWN", "LEAD_SIGNAL_WITHDRAWN",
    ]  # fmt: skip
    lane, lane_before = classify(FIRST_EDIT).status, classify(SAID).status
    assert events[0][1] == {
        "intent_label": "inquiry_price",
        "priority": "high",
        "confidence_score": lead.confidence_score,
        "status": lane,
        "status_before": lane_before,
        "edits": 1,
    }
    assert (events[3][1]["status"], events[3][1]["status_before"]) == ("withdrawn", lane)
    assert "0912" not in orjson.dumps([detail for _, detail in events]).decode()


async def test_hostile_texts_are_kept_as_they_came(engine: AsyncEngine, tenant_id: UUID) -> None:
    texts = [text for text in HOSTILE_TEXTS if text.encode("utf-8", "replace").decode() == text]
    assert len(texts) > 40
    ids = [f"h{number}" for number in range(len(texts))]
    await happen(engine, tenant_id, *(said(message_id, "x") for message_id in ids))
    await happen(engine, tenant_id, *(edited(message_id, text, minutes=1) for message_id, text in zip(ids, texts, strict=True)))
    for message_id, text in zip(ids, texts, strict=True):
        assert (await the_lead(engine, tenant_id, message_id)).content_text == text
        assert [version.content_text for version in await history(engine, tenant_id, message_id)] == ["x", text]


async def test_ids_are_text_whatever_they_look_like(engine: AsyncEngine, tenant_id: UUID) -> None:
    ids = ["{}", "{a,b}", '"', "'; DROP TABLE message_changes; --", "%s", ":platform", "\\", "NULL", " "]
    await happen(engine, tenant_id, *(said(message_id) for message_id in ids))
    assert set(await happen(engine, tenant_id, *(removed(message_id) for message_id in ids))) == {UPDATED}
    for message_id in ids:
        assert (await the_lead(engine, tenant_id, message_id)).status == "withdrawn"
