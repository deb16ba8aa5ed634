"""Graph's numbers, and what an operator is told to do about them."""

import pytest

from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure, failure_kind
from tests.graph_api.graph_answers import dead_token, graph_error, missing_permission, throttled
from tests.graph_api.graph_stand_in import PAGE_TOKEN, GraphStandIn

MEANINGS = [
    *((code, None, FailureKind.RETRY) for code in (1, 2, 4, 17, 32, 341, 613, 80001, 80005, 80000, 80014)),
    (190, None, FailureKind.RECONNECT),
    *((190, subcode, FailureKind.RECONNECT) for subcode in (458, 459, 460, 463, 467, 33)),
    (102, None, FailureKind.RECONNECT),
    *((code, None, FailureKind.PERMISSION) for code in (3, 10, 200, 230, 299)),
    (10, 2018278, FailureKind.PERMISSION),
    (368, None, FailureKind.BLOCKED),
    (803, None, FailureKind.NOT_FOUND),
    (100, 33, FailureKind.NOT_FOUND),
    (100, 2018218, FailureKind.NOT_FOUND),
    *((code, None, FailureKind.REFUSED) for code in (None, 0, -1, 5, 100, 104, 199, 300, 506, 79999, 80015)),
    (100, 2018001, FailureKind.REFUSED),
    (None, 33, FailureKind.REFUSED),
]


@pytest.mark.parametrize(("code", "subcode", "kind"), MEANINGS)
def test_what_a_code_means(code: int | None, subcode: int | None, kind: FailureKind) -> None:
    assert failure_kind(code, subcode, 400) is kind
    later = FailureKind.RETRY if kind is FailureKind.REFUSED else kind
    assert failure_kind(code, subcode, 500) is later, "a code we know beats the status, one we do not know does not"
    assert failure_kind(code, subcode, 429) is later
    assert failure_kind(code, subcode, 400, is_transient=True) is later


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_has_a_sentence_of_its_own(kind: FailureKind) -> None:
    sentences = {other: GraphFailure(other).sentence for other in FailureKind}
    assert len(set(sentences.values())) == len(FailureKind)
    assert sentences[kind].endswith(".")
    assert GraphFailure(kind, 7, 8, 400).sentence == sentences[kind] + " (Graph code 7, subcode 8, HTTP 400)"
    assert GraphFailure(kind).may_pass == (kind in (FailureKind.RETRY, FailureKind.BAD_ANSWER))


def test_a_dead_token_says_how_it_died() -> None:
    sentences = {subcode: GraphFailure(FailureKind.RECONNECT, 190, subcode).sentence for subcode in (458, 459, 460, 463, 467, None)}
    assert len(set(sentences.values())) == 6
    assert "password" in sentences[460]
    assert "expired" in sentences[463]
    assert "security check" in sentences[459]
    assert all("connect the Page again" in sentence for sentence in sentences.values())
    assert "password" not in GraphFailure(FailureKind.REFUSED, 100, 460).sentence


async def test_a_dead_token_over_the_wire(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["lead_form"] = dead_token(460)
    failure = await client.fetch_lead_form("1", PAGE_TOKEN)
    assert failure == GraphFailure(
        FailureKind.RECONNECT, 190, 460, 401, None, graph_said="Error validating access token: Session has expired."
    )


async def test_a_permission_that_is_missing_names_itself(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["subscribed_apps"] = missing_permission(200)
    failure = await client.unsubscribe("1", PAGE_TOKEN)
    assert failure is not None
    assert failure.kind is FailureKind.PERMISSION
    assert "pages_manage_metadata" in failure.graph_said


async def test_the_longest_permission_is_not_mistaken_for_a_secret(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["page"] = graph_error(200, message="Requires instagram_business_manage_messages permission")
    failure = await client.fetch_page(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert failure.graph_said == "Requires instagram_business_manage_messages permission"


@pytest.mark.parametrize(
    ("headers", "regain_minutes", "wait"),
    [
        ((), None, None),
        ((), 12, 720.0),
        (("retry-after: 30",), None, 30.0),
        (("retry-after:   30  ",), None, 30.0),
        (("retry-after: 30\x1f",), None, None),
        (("retry-after: 30",), 12, 720.0),
        (("retry-after: 9000",), 12, 9000.0),
        (("retry-after: 99999999999999999999",), None, 86_400.0),
        ((), 10**9, 86_400.0),
        (("retry-after: Thu, 01 Jan 1970 00:00:00 GMT",), None, 0.0),
        (("retry-after: Fri, 31 Dec 9999 23:59:59 GMT",), None, 86_400.0),
        (("retry-after: soon",), None, None),
        (("retry-after: -5",), None, None),
        (("retry-after: 1e3",), None, None),
        (("retry-after: Thu, 99 Jan 1970 99:00:00 GMT",), None, None),
    ],
)
@pytest.mark.parametrize("code", [4, 32, 80005])
async def test_a_throttled_call_says_how_long(
    *, code: int, headers: tuple[str, ...], regain_minutes: int | None, wait: float | None, graph: GraphStandIn, client: GraphClient
) -> None:
    graph.answers["page"] = throttled(code, *headers, regain_minutes=regain_minutes)
    failure = await client.fetch_page(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert (failure.kind, failure.code, failure.retry_after_seconds) == (FailureKind.RETRY, code, wait)
    assert failure.is_throttle


async def test_a_wait_belongs_to_what_may_pass(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["page"] = graph_error(190, 463, "retry-after: 30")
    failure = await client.fetch_page(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert failure.retry_after_seconds is None
