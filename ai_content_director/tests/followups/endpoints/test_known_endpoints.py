"""Whom a worker may call: noticed at the next look, opened for its own row, and nobody who is paused, removed or unreadable."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lead_signals import clock
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason
from lead_signals.followups.endpoints.pause_now import pause_now, resume_now
from lead_signals.followups.endpoints.remove_endpoint import remove_endpoint
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.endpoints.endpoint_house import GIVEN_SECRET, NOW, OLDER_KEY, OPERATORS_SECRET, EndpointHouse, mail_environment
from tests.intake.captured_logs import captured_logs
from tests.receiver import Arrival
from tests.waiting import wait_until_async


async def tell(house: EndpointHouse, destination: Destination | None) -> Arrival:
    """Send one follow-up there, and what arrived of it."""
    assert destination is not None
    body = f'{{"tenant_id":"{house.tenant}"}}'.encode()
    outcome = await destination.send("msg_1f", body, at=clock.now())
    assert outcome.kind is OutcomeKind.DELIVERED, outcome
    return house.receiver.arrivals(str(house.tenant))[-1]


def signed_by(arrival: Arrival, *secrets: str | None) -> list[bool]:
    return [_verifies(arrival, secret) for secret in secrets]


def _verifies(arrival: Arrival, secret: str | None) -> bool:
    assert secret is not None
    try:
        Webhook(secret).verify(arrival.body, dict(arrival.headers))
    except WebhookVerificationError:
        return False
    return True


async def test_what_was_added_is_known_at_the_next_look_and_signed_by_its_own_secret(house: EndpointHouse) -> None:
    async with house.known() as known:
        made = await house.add()
        given = await house.add(name="crm", secret=GIVEN_SECRET)
        assert known.destination(made.endpoint.id) is None, "nobody looked yet"
        await known.refresh()
        arrival = await tell(house, known.destination(made.endpoint.id))
        assert signed_by(arrival, made.secret, GIVEN_SECRET) == [True, False]
        assert signed_by(await tell(house, known.destination(given.endpoint.id)), GIVEN_SECRET) == [True]
        known_before = known.destination(made.endpoint.id)
        await known.refresh()
        assert known.destination(made.endpoint.id) is known_before, "what did not change is not opened again"


async def test_paused_resumed_and_removed(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    neighbour = await house.neighbour()
    other = (await house.add(neighbour)).endpoint.id
    async with house.known() as known:
        seen = []
        for step in (None, pause_now, resume_now):
            if step is not None:
                await step(house.engine, house.settings, house.tenant, endpoint, now=NOW)
            await known.refresh()
            seen.append(known.destination(endpoint) is not None)
        assert seen == [True, False, True]
        await remove_endpoint(house.engine, house.settings, house.tenant, endpoint)
        await known.refresh()
        assert known.destination(endpoint) is None
        assert known.destination(other) is not None


async def test_while_a_secret_rotates_both_sign_and_then_the_new_one_alone_without_another_look(house: EndpointHouse) -> None:
    added = await house.add()
    now = clock.now()
    fresh = await house.rotate(added.endpoint.id, now=now, keep_old_hours=2)
    moments = [now + timedelta(hours=1)]
    async with house.known(now=lambda: moments[-1]) as known:
        await known.refresh()
        arrival = await tell(house, known.destination(added.endpoint.id))
        assert signed_by(arrival, fresh.secret, added.secret) == [True, True]
        moments.append(now + timedelta(hours=2))
        arrival = await tell(house, known.destination(added.endpoint.id))
        assert signed_by(arrival, fresh.secret, added.secret) == [True, False]
    async with house.known(now=lambda: moments[-1]) as started_later:
        await started_later.refresh()
        arrival = await tell(house, started_later.destination(added.endpoint.id))
        assert signed_by(arrival, fresh.secret, added.secret) == [True, False]


async def test_a_worker_that_runs_signs_by_the_new_secret_after_its_next_look(house: EndpointHouse) -> None:
    added = await house.add()
    async with house.known() as known:
        await known.refresh()
        fresh = await house.rotate(added.endpoint.id, now=clock.now(), keep_old_hours=0)
        await known.refresh()
        arrival = await tell(house, known.destination(added.endpoint.id))
    assert signed_by(arrival, fresh.secret, added.secret) == [True, False]


async def test_the_operators_endpoint_is_called_as_it_is_set_and_paused_for_that_address_alone(house: EndpointHouse) -> None:
    at_first = house.with_settings(WEBHOOK_URL=house.receiver.url, WEBHOOK_SIGNING_SECRET=OPERATORS_SECRET)
    moved = house.with_settings(WEBHOOK_URL=f"{house.receiver.url}-2", WEBHOOK_ALLOWED_HOSTS="")
    async with house.known() as without, house.known(at_first) as known, house.known(moved) as elsewhere:
        for each in (without, known, elsewhere):
            assert each.destination(OPERATORS_ENDPOINT) is None
            await each.refresh()
        assert without.destination(OPERATORS_ENDPOINT) is None
        assert signed_by(await tell(house, known.destination(OPERATORS_ENDPOINT)), OPERATORS_SECRET) == [True]
        await known.pause(house.tenant, OPERATORS_ENDPOINT)
        await known.pause(house.tenant, OPERATORS_ENDPOINT)
        await elsewhere.refresh()
        assert known.destination(OPERATORS_ENDPOINT) is None
        await tell(house, elsewhere.destination(OPERATORS_ENDPOINT))
        await resume_now(house.engine, at_first, None, OPERATORS_ENDPOINT, now=NOW)
        await known.refresh()
        assert known.destination(OPERATORS_ENDPOINT) is not None


async def test_who_says_gone_is_called_no_more_and_the_history_tells_it_once(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    async with house.known() as known, house.known() as another_worker:
        await known.refresh()
        await another_worker.refresh()
        await asyncio.gather(*(each.pause(house.tenant, endpoint) for each in (known, another_worker, known)))
        assert known.destination(endpoint) is None
        assert another_worker.destination(endpoint) is None
    row = await house.row(endpoint)
    assert row.pause_reason == PauseReason.GONE
    assert (await house.audited())[1:] == [("ENDPOINT_CHANGED", "SYSTEM", {"paused": "gone"})]


async def test_a_pause_does_not_reach_through_the_wall(house: EndpointHouse) -> None:
    neighbour = await house.neighbour()
    theirs = (await house.add(neighbour)).endpoint.id
    async with house.known() as known:
        await known.refresh()
        await known.pause(house.tenant, theirs)
        assert known.destination(theirs) is not None


@pytest.mark.parametrize("key", [OLDER_KEY, ""])
async def test_what_cannot_be_opened_has_no_destination_and_is_told_once(key: str, house: EndpointHouse) -> None:
    first, second = (await house.add()).endpoint.id, (await house.add(name="crm")).endpoint.id
    settings = house.with_settings(CHANNEL_TOKEN_KEY=key)
    async with house.known(settings) as known:
        with captured_logs() as logs:
            for _ in range(3):
                await known.refresh()
        assert known.destination(first) is None
        told = logs.events("endpoint_cannot_be_opened")
        assert sorted(line["endpoint_id"] for line in told) == sorted([str(first), str(second)])
        assert house.receiver.url not in logs.text


async def test_an_address_copied_to_another_row_is_not_called(house: EndpointHouse) -> None:
    mine = (await house.add()).endpoint.id
    neighbour = await house.neighbour()
    theirs = (await house.add(neighbour)).endpoint.id
    await house.execute(
        f"UPDATE follow_up_endpoints SET sealed_address = (SELECT sealed_address FROM follow_up_endpoints WHERE id = '{mine}')"
        f" WHERE id = '{theirs}'"
    )
    async with house.known() as known:
        await known.refresh()
        assert (known.destination(mine) is not None, known.destination(theirs)) == (True, None)


async def test_mail_waits_for_a_mail_server(house: EndpointHouse) -> None:
    with_mail = house.with_settings(**mail_environment())
    added = await house.add(kind="email", address="ban.hang@example.vn", settings=with_mail)
    async with house.known() as without, house.known(with_mail) as known:
        await without.refresh()
        await known.refresh()
        assert without.destination(added.endpoint.id) is None
        assert known.destination(added.endpoint.id) is not None


async def test_it_is_kept_fresh_beside_the_work_and_outlives_a_look_that_fails(
    house: EndpointHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lead_signals.followups.endpoints.known_endpoints.LOOK_EVERY_SECONDS", 0.01)
    added: list[UUID] = []
    stop = asyncio.Event()
    async with house.known() as known:
        with captured_logs() as logs:
            await house.execute("ALTER TABLE follow_up_endpoints RENAME TO follow_up_endpoints_away")
            keeping = asyncio.create_task(known.keep_fresh(stop))
            try:
                await wait_until_async(lambda: _seen(bool(logs.events("endpoints_not_looked_at"))), "a look failed")
            finally:
                await house.execute("ALTER TABLE follow_up_endpoints_away RENAME TO follow_up_endpoints")
            added.append((await house.add()).endpoint.id)
            await wait_until_async(lambda: _seen(known.destination(added[0]) is not None), "the endpoint is known")
            stop.set()
            await keeping
        assert len(logs.events("endpoints_not_looked_at")) == 1


async def test_a_pause_that_cannot_be_written_is_logged_and_comes_again(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    async with house.known() as known:
        await known.refresh()
        await house.execute("ALTER TABLE follow_up_endpoints RENAME TO follow_up_endpoints_away")
        try:
            with captured_logs() as logs:
                await known.pause(house.tenant, endpoint)
        finally:
            await house.execute("ALTER TABLE follow_up_endpoints_away RENAME TO follow_up_endpoints")
        assert len(logs.events("endpoint_not_paused")) == 1
        assert known.destination(endpoint) is None
        await known.refresh()
        assert known.destination(endpoint) is not None


async def _seen(value: bool) -> bool:
    return value
