"""Which endpoints are told as failing: those that took nothing for five minutes, and not those with one bad message among good ones."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.followups.endpoints.endpoint_backlog import EndpointBacklog
from lead_signals.followups.endpoints.endpoint_list import list_endpoints
from lead_signals.followups.endpoints.failing_endpoints import FailingEndpoint, failing_endpoints, failing_sentence
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.settings import read_settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.followups.oversight.overseen import attempted, bring_to, change, endpoint_of, owed

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Place:
    """One tenant with an endpoint and some follow-ups owed there, promised two hours before NOW."""

    def __init__(self, engine: AsyncEngine, tenant_id: UUID, endpoint_id: UUID, ids: list[UUID]) -> None:
        self.engine, self.tenant_id, self.endpoint_id, self.ids = engine, tenant_id, endpoint_id, ids

    async def failed(self, number: int, *, failures: int, minutes_ago: float) -> None:
        began = NOW - minutes_ago * MINUTE
        await bring_to(self.engine, self.tenant_id, self.ids[number], FollowUpState.RETRYING, failures=failures, begun_at=began)

    async def delivered(self, number: int, *, minutes_ago: float) -> None:
        at = NOW - minutes_ago * MINUTE
        await bring_to(self.engine, self.tenant_id, self.ids[number], FollowUpState.DELIVERED, finished_at=at)

    async def found(self) -> FailingEndpoint | None:
        async with across_tenants_session(self.engine) as everywhere:
            of_all = (await failing_endpoints(everywhere, now=NOW)).get(self.endpoint_id)
        async with tenant_session(self.engine, self.tenant_id) as session:
            assert (await failing_endpoints(session, now=NOW, endpoint_ids=[self.endpoint_id])).get(self.endpoint_id) == of_all
        return of_all


@pytest.fixture
async def place(fresh_database: DatabaseAddresses) -> AsyncIterator[Place]:
    engine = app_engine(fresh_database.app, application_name="tests", pool_size=1)
    tenant_id, ids = await owed(engine, fresh_database.owner, 6)
    endpoint_id = await endpoint_of(engine, tenant_id, "Kho CRM")
    for follow_up_id in ids:
        await change(engine, tenant_id, follow_up_id, endpoint_id=endpoint_id, created_at=NOW - timedelta(hours=2), due_at=NOW)
    yield Place(engine, tenant_id, endpoint_id, ids)
    await engine.dispose()


async def test_five_failed_tries_over_five_minutes_and_nothing_taken_since(place: Place) -> None:
    await place.delivered(5, minutes_ago=31)
    await place.failed(0, failures=2, minutes_ago=30)
    await place.failed(1, failures=2, minutes_ago=29)
    assert await place.found() is None, "four tries"
    await place.failed(2, failures=1, minutes_ago=1)
    assert await place.found() == FailingEndpoint(NOW - 30 * MINUTE, NOW - 31 * MINUTE)


async def test_one_lead_that_fails_alone_is_all_that_comes_there(place: Place) -> None:
    await place.failed(0, failures=5, minutes_ago=5)
    assert await place.found() == FailingEndpoint(NOW - 5 * MINUTE, None)
    await place.failed(0, failures=5, minutes_ago=4.9)
    assert await place.found() is None, "it may be a restart"


async def test_bad_messages_among_good_ones_make_no_endpoint_fail(place: Place) -> None:
    for number in range(3):
        await place.failed(number, failures=12, minutes_ago=100 - number)
    await place.delivered(4, minutes_ago=60)
    assert await place.found() is None
    await place.failed(3, failures=5, minutes_ago=50)
    assert await place.found() == FailingEndpoint(NOW - 50 * MINUTE, NOW - 60 * MINUTE), "since the first that began after the delivery"


async def test_an_attempt_that_runs_has_failed_before(place: Place) -> None:
    await place.failed(0, failures=7, minutes_ago=40)
    await change(place.engine, place.tenant_id, place.ids[0], state="delivering", lease_until=NOW + MINUTE)
    assert await place.found() is not None
    await bring_to(place.engine, place.tenant_id, place.ids[0], FollowUpState.DEAD, lease_until=None)
    assert await place.found() is None, "nothing is owed there any more; what is dead is told elsewhere"


@pytest.mark.parametrize("quiet", [{"paused_at": NOW, "pause_reason": "by_operator"}, {"sealed_address": None, "removed_at": NOW}])
async def test_who_is_paused_or_removed_does_not_fail(quiet: dict[str, object], place: Place) -> None:
    elsewhere = await endpoint_of(place.engine, place.tenant_id, "Nghỉ", **quiet)
    await change(place.engine, place.tenant_id, place.ids[0], endpoint_id=elsewhere)
    await place.failed(0, failures=9, minutes_ago=40)
    async with across_tenants_session(place.engine) as everywhere:
        assert await failing_endpoints(everywhere, now=NOW) == {}


async def test_the_list_of_endpoints_says_it(place: Place) -> None:
    operators = read_settings({"WEBHOOK_URL": "https://n8n.example/webhook"})
    await place.failed(0, failures=5, minutes_ago=10)
    await attempted(place.engine, place.tenant_id, place.ids[0], 5, NOW - MINUTE, error_class="ConnectionRefused")
    async with across_tenants_session(place.engine) as everywhere:
        (webhook_url, crm), _ = await list_endpoints(everywhere, operators, None, now=NOW, limit=5)
    assert webhook_url.trouble is None
    assert crm.trouble is not None  # no key opens it here, and that comes first
    await change(place.engine, place.tenant_id, place.ids[0], endpoint_id=webhook_url.id)
    async with across_tenants_session(place.engine) as everywhere:
        (webhook_url, _), _ = await list_endpoints(everywhere, operators, None, now=NOW, limit=5)
    assert webhook_url.trouble == (
        "It has failed since 2026-11-23 08:50 UTC, last by ConnectionRefused; 1 follow-up waits; nothing delivered in the last four days."
    )


def test_the_sentence() -> None:
    failing = FailingEndpoint(NOW, NOW - MINUTE)
    assert failing_sentence(failing, EndpointBacklog(waiting=1200, last_failure="HTTP502")) == (
        "It has failed since 2026-11-23 09:00 UTC, last by HTTP502; 1,200 follow-ups wait; last delivered 2026-11-23 08:59 UTC."
    )
