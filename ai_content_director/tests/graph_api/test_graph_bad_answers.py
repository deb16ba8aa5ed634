"""Graph, and what stands between us and it, at their worst: every call ends, in bounded time and memory, with a failure that fits."""

import asyncio
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.graph_wire import ANSWER_READ_LIMIT_BYTES
from lead_signals.graph_api.page_identity import PageIdentity
from tests.graph_api.graph_answers import (
    breaks_off_mid_body,
    deep_json,
    graph_error,
    html_page,
    ill,
    redirects_to,
    resets_mid_body,
    says,
    says_bytes,
    talks_at_length,
    trickles,
)
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_NAME, PAGE_TOKEN, GraphStandIn
from tests.receiver import Answer, Exchange
from tests.receiver_answers import hangs_after_headers, hangs_before_headers, resets, talks_nonsense, trickles_body, trickles_headers

PAGE = {"id": PAGE_ID, "name": PAGE_NAME}
GOOD = PageIdentity(PAGE_ID, PAGE_NAME)
IMPATIENT_SECONDS = 0.4
TWO_BYTES_SECONDS = 1.3  # those who trickle say a byte a second: no single read takes this long


async def failure_after(answer: Answer, graph: GraphStandIn, client: GraphClient) -> GraphFailure:
    """What /me becomes when it is answered so; and that the next call is none the worse for it."""
    graph.answers["page"] = [answer, says(PAGE)]
    failure = await client.fetch_page(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert await client.fetch_page(PAGE_TOKEN) == GOOD
    return failure


@pytest.mark.parametrize(
    ("answer", "http_status", "patience_seconds"),
    [
        (hangs_before_headers, None, IMPATIENT_SECONDS),
        (hangs_after_headers, 200, IMPATIENT_SECONDS),
        (trickles_headers, None, TWO_BYTES_SECONDS),
        (trickles(PAGE), 200, TWO_BYTES_SECONDS),
        (trickles_body, 503, TWO_BYTES_SECONDS),
    ],
)
async def test_who_takes_too_long_is_left(
    answer: Answer, http_status: int | None, patience_seconds: float, graph: GraphStandIn, http: httpx.AsyncClient
) -> None:
    client = GraphClient(http, graph.base_url, app_secret=graph.app_secret, timeout_seconds=patience_seconds)
    began = time.monotonic()
    assert await failure_after(answer, graph, client) == GraphFailure(FailureKind.RETRY, http_status=http_status)
    assert patience_seconds <= time.monotonic() - began < 10


@pytest.mark.parametrize("answer", [resets, resets_mid_body, breaks_off_mid_body, talks_nonsense])
async def test_a_broken_connection_may_pass(answer: Answer, graph: GraphStandIn, client: GraphClient) -> None:
    failure = await failure_after(answer, graph, client)
    assert failure.kind is FailureKind.RETRY
    assert (failure.code, failure.http_status in (None, 200)) == (None, True)


async def test_nobody_there_may_pass(http: httpx.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    client = GraphClient(http, f"http://127.0.0.1:{port}/v26.0")
    assert await client.fetch_page(PAGE_TOKEN) == GraphFailure(FailureKind.RETRY)


async def test_a_caller_that_gives_up_is_not_held(graph: GraphStandIn, client: GraphClient) -> None:
    """Cancelling is the caller's own word: it is no failure of Graph and goes through."""
    graph.answers["page"] = hangs_before_headers
    asking = asyncio.create_task(client.fetch_page(PAGE_TOKEN))
    await asyncio.to_thread(graph.wait_for, 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize("http_status", [500, 502, 503, 504, 408, 429])
async def test_a_sick_server_may_pass(http_status: int, graph: GraphStandIn, client: GraphClient) -> None:
    assert await failure_after(ill(http_status), graph, client) == GraphFailure(FailureKind.RETRY, http_status=http_status)


async def test_a_sick_server_may_say_when(graph: GraphStandIn, client: GraphClient) -> None:
    failure = await failure_after(says_bytes(b"", 503, "retry-after: 77"), graph, client)
    assert (failure.kind, failure.retry_after_seconds) == (FailureKind.RETRY, 77)


@pytest.mark.parametrize(
    ("answer", "http_status"),
    [
        (html_page(), 200),
        (html_page(403), 403),
        (says_bytes(b"", 200), 200),
        (says_bytes(b'{"id":"1"', 200), 200),
        (says_bytes(b"\xff\xfe", 200), 200),
        (says_bytes(b'"text"', 200), 200),
        (says_bytes(b"[]", 200), 200),
        (says_bytes(b"NaN", 200), 200),
        (html_page(401), 401),
        (deep_json(33), 200),
        (deep_json(900), 200),
        (deep_json(100_000), 200),
        (says({"error": "no object"}), 200),
        (says({"error": "no object", **PAGE}), 200),
        (says({"id": PAGE_ID}, 404), 404),
        (says({}), 200),
        (says({"id": None}), 200),
        (says({"id": 0}), 200),
        (says({"id": "../x"}), 200),
        (says({"id": ["1"]}), 200),
        (says({"id": True}), 200),
    ],
)
async def test_what_is_no_answer_of_graph(answer: Answer, http_status: int, graph: GraphStandIn, client: GraphClient) -> None:
    failure = await failure_after(answer, graph, client)
    assert failure == GraphFailure(FailureKind.BAD_ANSWER, http_status=http_status)
    assert failure.may_pass


async def test_a_shape_that_is_wrong_for_its_call(graph: GraphStandIn, client: GraphClient) -> None:
    bad = GraphFailure(FailureKind.BAD_ANSWER, http_status=200)
    shapes: list[object] = [{}, {"data": 7}, {"data": {}}, {"field_data": {}}, {"success": "true"}, {"data": {"is_valid": "yes"}}]
    for shape in shapes:
        graph.answers["*"] = says(shape)
        assert await client.fetch_lead_form("1", PAGE_TOKEN) == bad
        assert await client.check_token(PAGE_TOKEN) == bad
        assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == bad
        assert await client.subscribe(PAGE_ID, PAGE_TOKEN, ["feed"]) == bad
        assert await client.unsubscribe(PAGE_ID, PAGE_TOKEN) == bad


async def test_odd_entries_beside_our_own_subscription(graph: GraphStandIn, client: GraphClient) -> None:
    ours = {"id": int(graph.app_id), "subscribed_fields": ["feed", 7, None, "messages"]}
    graph.answers["subscribed_apps"] = [says({"data": [7, None, {}, {"id": []}, ours]}), says({"data": [{"id": graph.app_id}]})]
    assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == ("feed", "messages")
    assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == ()


@pytest.mark.parametrize("content_type", ["text/javascript; charset=UTF-8", "text/html", "application/octet-stream", "", "nonsense"])
async def test_the_content_type_is_not_believed(content_type: str, graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["page"] = says(PAGE, content_type=content_type)
    assert await client.fetch_page(PAGE_TOKEN) == GOOD


async def test_ten_megabytes_are_not_listened_to(graph: GraphStandIn, client: GraphClient) -> None:
    heard: list[Exchange] = []

    def talks(exchange: Exchange) -> None:
        heard.append(exchange)
        talks_at_length(exchange)

    failure = await failure_after(talks, graph, client)
    assert failure == GraphFailure(FailureKind.BAD_ANSWER, http_status=200)
    assert heard[0].sent_bytes < 8 * 1024 * 1024  # the rest of it is what kernels buffer on loopback


async def test_the_limit_is_where_it_says(graph: GraphStandIn, client: GraphClient) -> None:
    body = b'{"id":"1","name":"' + b"x" * (ANSWER_READ_LIMIT_BYTES - 20) + b'"}'
    graph.answers["page"] = [says_bytes(body), says_bytes(body + b" ")]
    assert len(body) == ANSWER_READ_LIMIT_BYTES
    assert await client.fetch_page(PAGE_TOKEN) == PageIdentity("1", "x" * 512)
    assert await client.fetch_page(PAGE_TOKEN) == GraphFailure(FailureKind.BAD_ANSWER, http_status=200)


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Where the redirects point; whoever followed one would stand in its queue."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize("http_status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_with_a_token_in_hand(
    http_status: int, graph: GraphStandIn, client: GraphClient, elsewhere: socket.socket
) -> None:
    url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/v26.0/me"
    failure = await failure_after(redirects_to(url, http_status), graph, client)
    assert failure == GraphFailure(FailureKind.BAD_ANSWER, http_status=http_status)
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


@pytest.mark.parametrize("location", ["http://[", "http://\x01/", "javascript:alert(1)", "//", "http://a:99999999/", ""])
async def test_a_redirect_to_nowhere_is_a_failure_too(location: str, graph: GraphStandIn, client: GraphClient) -> None:
    failure = await failure_after(redirects_to(location), graph, client)
    assert failure.may_pass


@pytest.mark.parametrize("odd", [None, "190", True, -1, 10**30, 1.5, [190], {"a": 1}, "x" * 5000, "١٩٠"])
async def test_an_odd_code_is_a_failure_too(odd: object, graph: GraphStandIn, client: GraphClient) -> None:
    error = {"code": odd, "error_subcode": odd, "message": odd, "is_transient": odd}
    failure = await failure_after(says({"error": error}, 400), graph, client)
    expected = FailureKind.RETRY if odd is True else FailureKind.RECONNECT if odd == "190" else FailureKind.REFUSED
    assert failure.kind is expected
    assert failure.sentence


async def test_a_long_sentence_costs_no_time(graph: GraphStandIn, client: GraphClient) -> None:
    began = time.monotonic()
    failure = await failure_after(graph_error(100, message="a!" * 125_000), graph, client)
    assert time.monotonic() - began < 2
    assert len(failure.graph_said) <= 200


async def test_graph_may_say_no_with_a_200(graph: GraphStandIn, client: GraphClient) -> None:
    failure = await failure_after(graph_error(190, 463, status=200), graph, client)
    assert (failure.kind, failure.http_status) == (FailureKind.RECONNECT, 200)
