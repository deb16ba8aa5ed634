"""Comparing is pure: which lead belongs to which item, and what counts as a difference."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from lead_signals.database.new_id import new_id
from lead_signals.intake.replay_comparison import Comparison, Stored, StoredLead, compare
from lead_signals.intake.replay_reading import KeptReceipt, ReceiptReadAgain, judge_by, read_receipt_again
from lead_signals.intent.classify import classify
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.open_leads import LeadDraft
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import mock, mocks

pytestmark = pytest.mark.usefixtures("rules_alone")

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TENANT = UUID(int=1)


def receipt(*entries: dict[str, Any]) -> ReceiptReadAgain:
    """A receipt of these mock entries, read."""
    return read_receipt_again(KeptReceipt(new_id(), "facebook", NOON, orjson.dumps(mocks(*entries))), None)


def nameless(*messages: str) -> ReceiptReadAgain:
    return receipt(*(mock(None, message) for message in messages))


def lead_of(draft: LeadDraft, **now: Any) -> StoredLead:
    """The lead that the door would have made of it."""
    verdict = KeptVerdict.of(draft.verdict)
    lead = Lead(
        id=new_id(),
        tenant_id=TENANT,
        platform=draft.platform,
        source_type=draft.source_type,
        source_subtype=draft.source_subtype,
        content_id=None,
        external_post_id=draft.external_post_id,
        external_thread_id=draft.external_thread_id,
        external_message_id=draft.external_message_id,
        author_name=draft.author_name,
        author_id=draft.author_id,
        content_text=draft.content_text,
        **verdict.columns(),
        status=verdict.status,
        assignee=None,
        follow_up_at=None,
        last_contact_at=None,
        meta={**draft.meta, **verdict.meta()},
        created_at=NOON,
        updated_at=NOON,
    )
    return StoredLead(replace(lead, **now), verdict.status)


def stored(of: ReceiptReadAgain, leads: list[StoredLead]) -> Stored:
    messages = {(one.lead.platform, one.lead.external_message_id) for one in leads if one.lead.external_message_id is not None}
    return Stored({of.id: leads}, messages, {}, (), ())


def compared(today: ReceiptReadAgain, leads: list[StoredLead]) -> Comparison:
    return compare([today], stored(today, leads), judge_by(None))


def test_what_the_door_made_is_no_difference() -> None:
    today = receipt(mock("c1", URGENT), mock("c1", POLITE), mock(None, URGENT), mock(None, POLITE))
    first, _, *rest = today.leads
    found = compared(today, [lead_of(draft) for draft in (first, *rest)])
    assert (found.compared, found.changed, found.missing, found.unread, found.calls_for_writing) == (3, [], [], [], False)


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_a_nameless_item_that_older_code_passed_over_shifts_nobody(left_out: int) -> None:
    today = nameless("một", "hai", "ba")
    leads = [lead_of(draft) for number, draft in enumerate(today.leads) if number != left_out]
    found = compared(today, leads)
    assert (found.changed, found.missing, found.unread) == ([], [today.leads[left_out]], [])


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_nameless_item_that_is_no_signal_any_more_shifts_nobody(gone: int) -> None:
    then = nameless("một", "hai", "ba")
    leads = [lead_of(draft) for draft in then.leads]
    today = replace(then, leads=tuple(draft for number, draft in enumerate(then.leads) if number != gone))
    found = compared(today, leads)
    assert (found.changed, found.missing, found.unread) == ([], [], [leads[gone].lead])


def test_nameless_items_that_say_something_else_today_are_matched_in_their_order() -> None:
    then = nameless("một", "hai", "ba")
    leads = [lead_of(draft) for draft in then.leads]
    today = replace(then, leads=tuple(replace(draft, content_text=f"{draft.content_text}!") for draft in then.leads))
    found = compared(today, leads)
    assert [(one.lead.id, one.text) for one in found.changed] == [
        (one.lead.id, f"{said}!") for one, said in zip(leads, ("một", "hai", "ba"), strict=True)
    ]


def test_a_lead_of_another_receipt_is_a_repetition_and_not_compared() -> None:
    today = receipt(mock("c1", URGENT))
    found = compare([today], Stored({}, {("facebook", "c1")}, {}, (), ()), judge_by(None))
    assert (found.compared, found.missing) == (0, [])


def test_one_missing_message_in_two_receipts_is_told_once() -> None:
    both = [receipt(mock("c1", URGENT)), receipt(mock("c1", POLITE), mock("c1", POLITE))]
    found = compare(both, Stored({}, (), {}, (), ()), judge_by(None))
    assert [draft.content_text for draft in found.missing] == [URGENT]


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        ({"intent_label": "spam"}, {"intent"}),
        ({"priority": "low"}, {"priority"}),
        ({"confidence_score": 0.5}, {"confidence"}),
        ({"intent_label": "spam", "priority": "low"}, {"intent", "priority"}),
    ],
)
def test_each_field_of_the_verdict_counts(now: dict[str, Any], differs: set[str]) -> None:
    today = receipt(mock("c1", URGENT))
    (changed,) = compared(today, [lead_of(today.leads[0], **now)]).changed
    assert set(changed.differences) == differs


def test_a_lane_that_only_the_machine_moved_counts_and_a_status_of_a_person_does_not() -> None:
    today = receipt(mock("c1", URGENT))
    decided = lead_of(today.leads[0], status="won")
    assert compared(today, [decided]).changed == []
    (changed,) = compared(today, [replace(decided, machine_lane="new_draft")]).changed
    assert (changed.differences, changed.may_be_written) == ({"lane": ("new_draft", "new_auto")}, False)


def test_of_an_edited_lead_the_words_that_hold_now_are_judged() -> None:
    today = receipt(mock("c1", URGENT))
    polite = KeptVerdict.of(classify(POLITE))
    edited = lead_of(
        today.leads[0],
        content_text=POLITE,
        status=polite.status,
        **polite.columns(),
        meta={"edited": {"count": 1, "last_edited_at": None}, **polite.meta()},
    )
    assert compared(today, [replace(edited, machine_lane=polite.status)]).changed == []


@pytest.mark.parametrize(
    ("evidence", "field_data", "kept"),
    [([{"rule": "lead_form", "start": 0, "end": 1}], None, True), ([], [], True), ([], None, False)],
    ids=["by the form's rule", "answers that say nothing", "never completed"],
)
def test_the_verdict_of_a_completed_form_is_kept(evidence: list[Any], field_data: Any, kept: bool) -> None:
    today = receipt(mock("f1", "x"))
    form = replace(today, leads=(replace(today.leads[0], source_type="lead_form"),))
    meta = {"evidence": evidence, **({} if field_data is None else {"field_data": field_data})}
    found = compared(form, [lead_of(form.leads[0], intent_label="contact_request", priority="high", meta=meta)])
    assert (found.forms, len(found.changed)) == ((1, 0) if kept else (0, 1))
