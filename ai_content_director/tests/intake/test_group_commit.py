"""Deliveries that wait at one moment share one transaction, and each gets its own answer: good, refused and poisoned side by side."""

import asyncio
import contextvars
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake import admit, group_commit
from lead_signals.intake.route_delivery import RoutedDelivery, TenantIdSource, route_delivery
from lead_signals.leads.hold_history import hold_history
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import tenant_session
from tests.intake.books import assert_books_balance
from tests.intake.gathering import Scene, admission_of, admissions_of, incoming, new_tenant, poisoned, said
from tests.intake.open_door import fetch
from tests.intake.page_deliveries import page_entry
from tests.leads.lock_waits import wait_until_somebody_waits_for


async def test_all_that_wait_share_one_transaction_and_each_hears_its_own_counts(scene: Scene) -> None:
    tenants = [await new_tenant(scene.engine) for _ in range(3)]
    deliveries = [
        said(tenants[number % 3], *(f"m{number}.{item}" for item in range(1 + number % 4)), message=f"Cho tôi báo giá số {number}")
        for number in range(20)
    ]
    for number, outcome in enumerate(await scene.together(*deliveries)):
        admission = admission_of(outcome)
        assert (admission.tenant_id, admission.received, admission.created) == (tenants[number % 3], 1 + number % 4, 1 + number % 4)
        leads = await fetch(scene.owner_address, "SELECT receipt_id, content_text FROM lead_signals WHERE id = ANY($1)", admission.lead_ids)
        assert {lead["content_text"] for lead in leads} == {f"Cho tôi báo giá số {number}"}
        assert {lead["receipt_id"] for lead in leads} == {deliveries[number].prepared.receipt_id}
        assert len(leads) == admission.created
    assert len(await scene.transactions(*tenants)) == 1
    assert await scene.transactions(scene.held_tenant) != await scene.transactions(*tenants)
    for tenant_id in tenants:
        await assert_books_balance(scene.owner_address, tenant_id)
        assert await scene.count("follow_ups", tenant_id) == await scene.count("lead_signals", tenant_id) > 0


async def test_a_lone_delivery_waits_for_nobody(scene: Scene, tenant_id: UUID) -> None:
    for _ in range(3):
        assert admission_of(await scene.commits.admit(said(tenant_id))).created == 1
    assert len(await scene.transactions(tenant_id)) == 3


async def test_duplicates_within_a_group_create_one_lead(scene: Scene, tenant_id: UUID) -> None:
    repeated = [said(tenant_id, "a", f"own{number}", "b") for number in range(5)] + [said(tenant_id, "b", "a") for _ in range(5)]
    admissions = [admission_of(outcome) for outcome in await scene.together(*repeated)]
    assert [(admission.created, admission.duplicate) for admission in admissions] == [(3, 0)] + [(1, 2)] * 4 + [(0, 2)] * 5
    assert await scene.count("lead_signals", tenant_id) == await scene.count("audit_events", tenant_id) == 7
    assert await scene.count("follow_ups", tenant_id) == 7
    assert len(await scene.transactions(tenant_id)) == 1
    await assert_books_balance(scene.owner_address, tenant_id)


async def test_one_poisoned_delivery_costs_one_item(scene: Scene, tenant_id: UUID) -> None:
    neighbour = await new_tenant(scene.engine)
    deliveries = [said(tenant_id, f"m{number}", f"n{number}") for number in range(20)]
    deliveries[7] = poisoned(deliveries[7])
    *ours, theirs = [admission_of(outcome) for outcome in await scene.together(*deliveries, said(neighbour, "x", "y"))]
    assert [(admission.created, admission.quarantined) for admission in ours] == [
        (1, Counter(refused_by_database=1)) if number == 7 else (2, Counter()) for number in range(20)
    ]
    assert (theirs.created, len(await scene.transactions(neighbour))) == (2, 1)
    kept = await fetch(scene.owner_address, "SELECT item FROM quarantined_items WHERE tenant_id = $1", tenant_id)
    assert [b'"external_message_id":"m7"' in row["item"] for row in kept] == [True]
    assert await scene.count("lead_signals", tenant_id) == 39
    await assert_books_balance(scene.owner_address, tenant_id)


async def test_what_is_written_one_by_one_has_its_tenant_to_itself(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item by item, rows are locked in another order than a batch locks them."""
    alone = asyncio.Event()
    admit_alone = group_commit.admit_alone

    async def admit_when_told(engine: AsyncEngine, delivery: RoutedDelivery, policy: FollowUpPolicy) -> Any:
        await alone.wait()
        return await admit_alone(engine, delivery, policy)

    monkeypatch.setattr(group_commit, "admit_alone", admit_when_told)
    admitting = asyncio.create_task(scene.commits.admit(poisoned(said(tenant_id))))
    async with tenant_session(scene.engine, tenant_id) as adding:
        await hold_history(adding, tenant_id, changing=False)
        alone.set()
        await wait_until_somebody_waits_for(adding, scene.owner_address)
    assert admission_of(await admitting).quarantined.total() == 1


async def test_who_is_refused_in_a_group_is_refused_alone(scene: Scene, tenant_id: UUID) -> None:
    theirs, page = await new_tenant(scene.engine), f"88{uuid4().int % 10**13}"
    unknown_page, nobody = f"77{uuid4().int % 10**13}", uuid4()
    async with tenant_session(scene.engine, theirs) as session:
        await connect_channel(session, theirs, platform="facebook", external_id=page)

    def of(page_id: str) -> dict[str, Any]:
        return {"object": "page", "entry": [page_entry(page_id, (uuid4().hex, "Cho tôi báo giá"))]}

    waited = await scene.together(
        said(tenant_id),
        said(nobody),
        incoming(of(page), tenant_id),
        incoming(of(unknown_page)),
        incoming(of(unknown_page), signed=True),
        incoming(of(page), signed=True),
        said(tenant_id),
    )
    assert [said_of(outcome) for outcome in waited] == [
        1,
        (404, "unknown_tenant"),
        (400, "page_of_another_tenant"),
        (400, "no_tenant"),
        0,
        1,
        1,
    ]
    assert await scene.transactions(tenant_id) == await scene.transactions(theirs)
    assert await scene.count("receipts", tenant_id) == 2
    kept = await fetch(
        scene.owner_address, "SELECT xmin::text::bigint FROM unrouted_deliveries WHERE channel_external_id = $1", unknown_page
    )
    assert {row[0] for row in kept} == await scene.transactions(tenant_id)


def said_of(outcome: Any) -> int | tuple[int, str]:
    """How many leads it created, or why it was refused."""
    if isinstance(outcome, RefusedRequest):
        return outcome.status, outcome.reason
    return sum(admission.created for admission in admissions_of(outcome))


async def test_a_defect_that_one_delivery_meets_is_its_own(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    def route_or_crash(delivery: Any, tenants: Any) -> RoutedDelivery:
        if delivery.named[1] is TenantIdSource.BODY:
            raise KeyError("a body that nobody foresaw")
        return route_delivery(delivery, tenants)

    open_leads = admit.open_leads

    async def open_or_crash(session: Any, of_tenant: UUID, drafts: Any) -> Any:
        if any(draft.external_message_id == "strange" for draft in drafts):
            raise ZeroDivisionError
        return await open_leads(session, of_tenant, drafts)

    monkeypatch.setattr(group_commit, "route_delivery", route_or_crash)
    monkeypatch.setattr(admit, "open_leads", open_or_crash)
    in_routing = replace(said(tenant_id), named=(tenant_id, TenantIdSource.BODY))
    before, routing, writing, after = await scene.together(said(tenant_id), in_routing, said(tenant_id, "strange"), said(tenant_id))
    assert (type(routing), type(writing)) == (KeyError, ZeroDivisionError)
    assert [admission_of(outcome).created for outcome in (before, after)] == [1, 1]


async def test_a_large_group_is_cut_by_deliveries_and_by_bytes(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_DELIVERIES", 4)
    await scene.together(*(said(tenant_id) for _ in range(10)))
    assert len(await scene.transactions(tenant_id)) == 3
    monkeypatch.setattr(group_commit, "MOST_BYTES", 2 * len(said(tenant_id).raw_body))
    await scene.together(*(said(tenant_id) for _ in range(6)))
    assert len(await scene.transactions(tenant_id)) == 6
    monkeypatch.setattr(group_commit, "MOST_ITEMS", 1)
    await scene.together(*(said(tenant_id) for _ in range(2)))
    assert len(await scene.transactions(tenant_id)) == 8


async def test_a_hand_does_not_work_in_the_name_of_who_called_it(scene: Scene, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    request_id = contextvars.ContextVar("request_id", default="nobody's")
    seen, admit_together = [], group_commit.admit_together

    async def admit_and_look(*arguments: Any) -> Any:
        seen.append(request_id.get())
        return await admit_together(*arguments)

    monkeypatch.setattr(group_commit, "admit_together", admit_and_look)
    request_id.set("the first one's")
    await scene.commits.admit(said(tenant_id))
    assert seen == ["nobody's"]
