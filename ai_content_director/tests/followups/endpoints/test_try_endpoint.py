"""A trial goes the way of every follow-up: the same contract, signature, guard and timeout."""

from uuid import UUID

import pytest
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook

from lead_signals import clock
from lead_signals.followups.destinations.failure_word import REFUSED_ADDRESS, TIMEOUT
from lead_signals.followups.destinations.outbound import NO_MAIL_SERVER
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, SealedPart
from lead_signals.followups.endpoints.trial_hint import trial_hint
from lead_signals.followups.endpoints.try_endpoint import NOBODY, TriedEndpoint, try_endpoint
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from tests.followups.endpoints.endpoint_house import GIVEN_SECRET, OPERATORS_SECRET, EndpointHouse, mail_environment
from tests.receiver_answers import hangs_before_headers, status


async def trial(house: EndpointHouse, endpoint_id: UUID, settings: Settings | None = None, tenant_id: UUID | None = None) -> TriedEndpoint:
    return await try_endpoint(house.engine, settings or house.settings, tenant_id or house.tenant, endpoint_id, now=clock.now())


async def test_a_receiver_can_tell_a_trial_and_prove_it(house: EndpointHouse) -> None:
    tried = await trial(house, (await house.add(secret=GIVEN_SECRET)).endpoint.id)
    assert (tried.ok, tried.outcome, tried.sentence) == (True, "delivered", "The trial was delivered.")
    (arrival,) = house.receiver.arrivals(str(house.tenant))
    assert arrival.webhook_id == tried.webhook_id
    assert arrival.webhook_id.startswith("msg_test_")
    said = arrival.said
    assert (said["lead_id"], said["intent_label"], said["tenant_id"]) == (str(NOBODY), "unknown", str(house.tenant))
    assert said["content_text"].startswith("Đây là tin thử")
    assert sorted(said) == sorted(Webhook(GIVEN_SECRET).verify(arrival.body, dict(arrival.headers)))


async def test_webhook_url_is_tried_as_it_is_set_and_is_nobodys(house: EndpointHouse) -> None:
    settings = house.with_settings(WEBHOOK_URL=house.receiver.url, WEBHOOK_SIGNING_SECRET=OPERATORS_SECRET, WEBHOOK_ALLOWED_HOSTS="")
    before = len(house.receiver.arrivals(str(NOBODY)))
    assert (await try_endpoint(house.engine, settings, None, OPERATORS_ENDPOINT, now=clock.now())).ok
    arrival = house.receiver.arrivals(str(NOBODY))[before]
    assert Webhook(OPERATORS_SECRET).verify(arrival.body, dict(arrival.headers))


async def test_who_says_gone_is_told_and_not_paused(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    house.receiver.script(str(house.tenant), status(410))
    tried = await trial(house, endpoint)
    assert (tried.ok, tried.outcome, tried.http_status) == (False, "give_up", 410)
    assert "would pause this endpoint" in tried.sentence
    assert (await house.row(endpoint)).paused_at is None


async def test_who_never_answers_is_a_timeout(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    house.receiver.script(str(house.tenant), hangs_before_headers)
    tried = await trial(house, endpoint, house.with_settings(N8N_WEBHOOK_TIMEOUT_SECONDS="3"))
    assert (tried.ok, tried.error_class, tried.answer) == (False, "Timeout", None)
    assert "(Timeout)" in tried.sentence
    assert "must answer 2xx at once" in tried.sentence


@pytest.mark.parametrize(
    ("answer", "hint"), [(404, "is the workflow published"), (302, "give the final address"), (503, "look into its own log"), (418, "")]
)
async def test_what_to_look_at_is_told_for_each_answer(answer: int, hint: str, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    house.receiver.script(str(house.tenant), status(answer))
    tried = await trial(house, endpoint)
    told, _, more = tried.sentence.partition("a real follow-up would be tried again.")
    assert f"(HTTP{answer})" in told
    assert hint in more
    assert bool(more) == bool(hint)


@pytest.mark.parametrize(
    ("url", "word", "hint"),
    [
        ("http://khong-co.invalid/hook", "NameNotFound", "Is the name in DNS"),
        ("http://127.0.0.1:1/hook", "ConnectionRefused", "does the receiver run"),
    ],
)
async def test_what_to_look_at_is_told_when_nobody_answers(url: str, word: str, hint: str, house: EndpointHouse) -> None:
    settings = house.with_settings(WEBHOOK_URL=url)
    tried = await try_endpoint(house.engine, settings, None, OPERATORS_ENDPOINT, now=clock.now())
    assert tried.error_class == word
    assert hint in tried.sentence


def test_every_word_of_the_certificates_and_of_the_guard_has_its_hint() -> None:
    for word in (
        TIMEOUT,
        REFUSED_ADDRESS,
        "CertificateExpired",
        "CertificateWrongHost",
        "CertificateNotTrusted",
        "TLSFailed",
        NO_MAIL_SERVER,
    ):
        assert trial_hint(word).endswith((".", "?")), word
    assert "WEBHOOK_ALLOWED_HOSTS" in trial_hint(REFUSED_ADDRESS)


async def test_an_address_that_is_allowed_no_more_is_not_called(house: EndpointHouse) -> None:
    """It was added while the operator allowed it; the guard stands before every call all the same."""
    endpoint = (await house.add()).endpoint.id
    tried = await trial(house, endpoint, house.with_settings(WEBHOOK_ALLOWED_HOSTS=""))
    assert (tried.ok, tried.outcome) == (False, "try_again")
    assert "WEBHOOK_ALLOWED_HOSTS" in tried.sentence
    assert house.receiver.arrivals(str(house.tenant)) == []


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data", "https://10.0.0.8/bimat"])
async def test_whatever_lies_in_the_row_the_guard_stands_before_it(url: str, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    sealed = EndpointSeal(house.settings.channel_token_key).seal(SecretStr(url), SealedPart.ADDRESS, house.tenant, endpoint)
    await house.execute(f"UPDATE follow_up_endpoints SET sealed_address = '\\x{sealed.hex()}' WHERE id = '{endpoint}'")
    tried = await trial(house, endpoint)
    assert (tried.ok, tried.http_status) == (False, None)
    assert "bimat" not in repr(tried)


async def test_mail_is_not_tried_without_a_mail_server(house: EndpointHouse) -> None:
    added = await house.add(kind="email", address="a@example.vn", settings=house.with_settings(**mail_environment()))
    with pytest.raises(RefusedRequest, match="SMTP_URL and SMTP_FROM"):
        await trial(house, added.endpoint.id)


async def test_a_neighbours_endpoint_is_not_there(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    with pytest.raises(RefusedRequest, match="has no endpoint"):
        await trial(house, endpoint, tenant_id=await house.neighbour())
