"""Nothing secret is shown, and nothing a stranger wrote steers a call."""

import logging

import pytest

from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.graph_wire import appsecret_proof
from tests.graph_api.graph_answers import graph_error
from tests.graph_api.graph_stand_in import APP_ID, PAGE_ID, PAGE_TOKEN, GraphStandIn

LEAD_ID = "910000000000001"
PSID = "920000000000001"


async def test_every_call_is_proven_and_no_secret_stands_in_an_address_that_is_logged(
    graph: GraphStandIn, client: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    graph.fill_in_lead_form(LEAD_ID, {"full_name": ["Mơ"]})
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")  # a command run in this process may have quietened it
    await client.fetch_lead_form(LEAD_ID, PAGE_TOKEN)
    await client.fetch_profile(PSID, PAGE_TOKEN)
    await client.fetch_page(PAGE_TOKEN)
    await client.check_token(PAGE_TOKEN)
    await client.subscribe(PAGE_ID, PAGE_TOKEN, ["feed"])
    await client.subscribed_fields(PAGE_ID, PAGE_TOKEN)
    await client.unsubscribe(PAGE_ID, PAGE_TOKEN)
    assert {asked.call for asked in graph.requests} == {
        "lead_form",
        "profile",
        "conversations",
        "page",
        "debug_token",
        "subscribed_apps",
    }
    for asked in graph.requests:
        assert asked.query["appsecret_proof"] == graph.proof_of(asked.token)
        assert "access_token" not in asked.query
        assert asked.headers["accept-encoding"] == "identity"
    assert f"HTTP Request: GET {graph.base_url}/debug_token" in caplog.text
    for secret in (PAGE_TOKEN, graph.app_secret.decode(), graph.proof_of(PAGE_TOKEN)):
        assert secret not in caplog.text


async def test_a_failed_call_shows_no_secret_where_errors_are_shown(graph: GraphStandIn, client: GraphClient) -> None:
    secret, token = graph.app_secret.decode(), "short-token"
    message = f"Malformed access token {token} of app {APP_ID}|{secret} for mo.tran@example.vn EAAB{'x' * 30} \x00\x1b[31m" + "!" * 500
    graph.answers["*"] = graph_error(190, message=message)
    failures: list[object] = [await client.fetch_page(token), await client.check_token(token)]
    for failure in failures:
        assert isinstance(failure, GraphFailure)
        assert len(failure.graph_said) == 200
        for private in (token, secret, "EAAB", "example.vn", "\x00", "\x1b"):
            assert private not in failure.graph_said + failure.sentence + repr(failure)
        assert "Malformed" not in failure.sentence + repr(failure)
    assert [str(getattr(failure, "graph_said", ""))[:35] for failure in failures] == ["Malformed access token [...] of app"] * 2


def test_the_proof_is_the_one_of_the_documentation() -> None:
    """HMAC-SHA256 in lower-case hex; worked out once with `openssl dgst -sha256 -hmac`."""
    assert appsecret_proof(b"invented-secret", "invented-token") == ("3d96931517ba5997b11aaf970ddc11b3b1fdc5862e14705cf6bb5ff2f14fcfcb")


HOSTILE_IDS = [
    "",
    ".",
    "..",
    "me",
    "debug_token",
    "../123",
    "123/../456",
    "123?fields=x",
    "123#1",
    "123%2f456",
    "//evil.invalid/1",
    "1 2",
    "1\n",
    "1\x00",
    "1" * 129,
    "１２３",
    "@evil.invalid:1",
    "\ud800" + "1",
]


@pytest.mark.parametrize("hostile", HOSTILE_IDS)
async def test_a_hostile_id_never_reaches_an_address(hostile: str, graph: GraphStandIn, client: GraphClient) -> None:
    for failure in (
        await client.fetch_lead_form(hostile, PAGE_TOKEN),
        await client.fetch_profile(hostile, PAGE_TOKEN),
        await client.subscribed_fields(hostile, PAGE_TOKEN),
        await client.subscribe(hostile, PAGE_TOKEN, ["feed"]),
        await client.unsubscribe(hostile, PAGE_TOKEN),
    ):
        assert isinstance(failure, GraphFailure)
        assert failure.kind is FailureKind.REFUSED
    assert graph.requests == ()


@pytest.mark.parametrize("sound", ["1", "700000000000001_900000000000002", "t_1", "m_AbC:9.9-_"])
async def test_a_sound_id_arrives_as_it_is(sound: str, graph: GraphStandIn, client: GraphClient) -> None:
    await client.fetch_lead_form(sound, PAGE_TOKEN)
    assert [asked.path for asked in graph.requests] == [f"/{sound}"]


@pytest.mark.parametrize("token", ["", "two words", "EAA\r\nx-evil: 1", "tiếng", "\ud800", "x" * 5000])
async def test_a_token_that_is_none_is_dead(token: str, graph: GraphStandIn, client: GraphClient) -> None:
    failures: list[object] = [await client.fetch_page(token), await client.check_token(token), await client.unsubscribe(PAGE_ID, token)]
    assert failures == [GraphFailure(FailureKind.RECONNECT)] * 3
    assert graph.requests == ()
