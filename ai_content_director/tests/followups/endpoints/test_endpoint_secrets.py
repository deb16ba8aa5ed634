"""The secrets of an endpoint: which ones live, when the old one ends, and that no key too few opens a door."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason
from lead_signals.followups.endpoints.endpoint_list import GONE, NO_MAIL
from lead_signals.followups.endpoints.endpoint_troubles import EndpointTrouble, endpoint_troubles
from lead_signals.followups.endpoints.live_secrets import live_secrets
from lead_signals.followups.endpoints.operators_pause import pause_operators_endpoint
from lead_signals.followups.endpoints.pause_endpoint import pause_endpoint
from lead_signals.followups.endpoints.remove_endpoint import remove_endpoint
from lead_signals.followups.endpoints.renew_seals import renew_seals
from lead_signals.followups.endpoints.webhook_secret import is_secret, make_secret
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session
from tests.followups.endpoints.endpoint_house import (
    GIVEN_SECRET,
    NOW,
    OLDER_KEY,
    OPERATORS_SECRET,
    SEALING_KEY,
    EndpointHouse,
    mail_environment,
)


async def live(
    house: EndpointHouse, endpoint_id: UUID, at: datetime = NOW, *, whose: UUID | None = None, settings: Settings | None = None
) -> tuple[str, ...]:
    tenant_id = whose or house.tenant
    async with tenant_session(house.engine, tenant_id) as session:
        return await live_secrets(session, settings or house.settings, tenant_id, endpoint_id, at)


async def troubles(house: EndpointHouse, settings: Settings) -> list[EndpointTrouble]:
    async with across_tenants_session(house.engine) as everywhere:
        return list(await endpoint_troubles(everywhere, settings, now=NOW))


async def test_the_old_secret_lives_until_its_hour_and_no_longer(house: EndpointHouse) -> None:
    endpoint = (await house.add(secret=GIVEN_SECRET)).endpoint.id
    assert await live(house, endpoint) == (GIVEN_SECRET,)
    second = (await house.rotate(endpoint, keep_old_hours=3)).secret
    assert second is not None
    until = NOW + timedelta(hours=3)
    assert await live(house, endpoint) == (second, GIVEN_SECRET)
    assert await live(house, endpoint, until - timedelta(milliseconds=1)) == (second, GIVEN_SECRET)
    assert await live(house, endpoint, until) == (second,)


async def test_two_live_at_most_and_none_beside_the_new_one_when_nothing_is_kept(house: EndpointHouse) -> None:
    endpoint = (await house.add(secret=GIVEN_SECRET)).endpoint.id
    second = (await house.rotate(endpoint)).secret
    third = (await house.rotate(endpoint)).secret
    assert await live(house, endpoint) == (third, second)
    back = await house.rotate(endpoint, secret=GIVEN_SECRET, keep_old_hours=0)
    assert (back.secret, back.sentence) == (None, "The new secret alone signs from now on.")
    assert await live(house, endpoint) == (GIVEN_SECRET,)
    assert (await house.row(endpoint)).sealed_old_secret is None


async def test_who_has_no_secret_has_none(house: EndpointHouse) -> None:
    slack = (await house.add(kind="slack", address="https://hooks.example.com/services/T01/B02/Xk29")).endpoint.id
    webhook = (await house.add(name="crm")).endpoint.id
    assert await live(house, slack) == ()
    assert await live(house, webhook, whose=await house.neighbour()) == ()
    await remove_endpoint(house.engine, house.settings, house.tenant, webhook)
    assert await live(house, webhook) == ()
    assert await live(house, OPERATORS_ENDPOINT) == ()
    signed = house.with_settings(WEBHOOK_SIGNING_SECRET=f"{OPERATORS_SECRET},{GIVEN_SECRET}")
    assert await live(house, OPERATORS_ENDPOINT, settings=signed) == (OPERATORS_SECRET, GIVEN_SECRET)


@pytest.mark.parametrize("key", [OLDER_KEY, ""])
async def test_a_secret_that_cannot_be_opened_is_not_taken_for_none(key: str, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    with pytest.raises(RefusedRequest) as refused:
        await live(house, endpoint, settings=house.with_settings(CHANNEL_TOKEN_KEY=key))
    assert refused.value.status == 503


async def test_what_needs_a_person_is_told_and_a_pause_by_a_person_is_not(house: EndpointHouse) -> None:
    gone, paused = (await house.add(name="gone")).endpoint.id, (await house.add(name="paused")).endpoint.id
    mail = (
        await house.add(name="mail", kind="email", address="a@example.vn", settings=house.with_settings(**mail_environment()))
    ).endpoint.id
    async with tenant_session(house.engine, house.tenant) as session:
        await pause_endpoint(session, house.tenant, gone, PauseReason.GONE)
        await pause_endpoint(session, house.tenant, paused, PauseReason.BY_OPERATOR)
    settings = house.with_settings(WEBHOOK_URL=house.receiver.url)
    async with house.engine.begin() as connection:
        await pause_operators_endpoint(connection, house.receiver.url, PauseReason.GONE)
    told = await troubles(house, settings)
    assert [(each.endpoint_id, each.tenant_id, each.name, each.sentence) for each in told] == [
        (OPERATORS_ENDPOINT, None, "WEBHOOK_URL", GONE),
        (gone, house.tenant, "gone", GONE),
        (mail, house.tenant, "mail", NO_MAIL),
    ]
    unopened = await troubles(house, house.with_settings(CHANNEL_TOKEN_KEY=OLDER_KEY))
    assert [each.sentence.partition(" ")[0] for each in unopened] == ["None"] * 3


async def test_after_one_round_the_older_key_can_go(house: EndpointHouse) -> None:
    old = house.with_settings(CHANNEL_TOKEN_KEY=OLDER_KEY)
    endpoint = (await house.add(secret=GIVEN_SECRET, settings=old)).endpoint.id
    both = house.with_settings(CHANNEL_TOKEN_KEY=f"{SEALING_KEY},{OLDER_KEY}")
    other = (await house.add(name="of the first key")).endpoint.id
    before, untouched = await house.row(endpoint), await house.row(other)
    assert await renew_seals(house.engine, old, now=NOW) == 0, "what it cannot open stays as it is"
    assert await renew_seals(house.engine, both, now=NOW) == 1
    assert await renew_seals(house.engine, both, now=NOW) == 0
    assert await live(house, endpoint) == (GIVEN_SECRET,)
    assert (await house.row(endpoint)).changed_at == before.changed_at
    assert await house.row(other) == untouched
    assert await troubles(house, house.settings) == []
    assert await renew_seals(house.engine, house.with_settings(CHANNEL_TOKEN_KEY=""), now=NOW) == 0


async def test_a_round_erases_old_secrets_that_are_over(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    await house.rotate(endpoint, keep_old_hours=1)
    assert await renew_seals(house.engine, house.settings, now=NOW) == 0
    assert await renew_seals(house.engine, house.settings, now=NOW + timedelta(hours=1)) == 1
    row = await house.row(endpoint)
    assert (row.sealed_old_secret, row.old_secret_until) == (None, None)
    assert len(await live(house, endpoint)) == 1


def test_a_secret_is_what_standard_webhooks_takes() -> None:
    assert is_secret(make_secret().get_secret_value())
    assert make_secret().get_secret_value() != make_secret().get_secret_value()
    for text, good in (
        (GIVEN_SECRET, True),
        ("whsec_" + "A" * 32, True),
        ("whsec_" + "A" * 28, False),
        ("whsec_" + "A" * 84 + "AA==", True),
        ("whsec_" + "A" * 84 + "AAA=", False),
        ("whsec_", False),
        ("WHSEC_" + "A" * 32, False),
        ("whsec_" + "A" * 31 + "é", False),
        ("whsec_" + "A" * 31 + "-", False),
    ):
        assert is_secret(text) is good, text
