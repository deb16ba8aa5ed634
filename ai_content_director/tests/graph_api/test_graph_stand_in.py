"""The stand-in refuses what Graph would refuse: tests that pass on it have shown something."""

import httpx
import pytest

from tests.graph_api.graph_answers import ill, says
from tests.graph_api.graph_stand_in import PAGE_ID, PAGE_TOKEN, GraphStandIn


async def code_of(http: httpx.AsyncClient, graph: GraphStandIn, path: str, token: str | None, **query: str) -> tuple[int, int]:
    """The code of the error a call gets, and its HTTP status."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = await http.get(graph.base_url + path, params=query, headers=headers)
    return answer.json()["error"]["code"], answer.status_code


async def test_every_call_needs_a_living_token_and_its_proof(graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    proof = graph.proof_of(PAGE_TOKEN)
    assert await code_of(http, graph, "/me", None, appsecret_proof=proof) == (104, 400)
    assert await code_of(http, graph, "/me", None, access_token=PAGE_TOKEN, appsecret_proof=proof) == (100, 400)
    assert await code_of(http, graph, "/me", "EAAforgotten", appsecret_proof=graph.proof_of("EAAforgotten")) == (190, 400)
    assert await code_of(http, graph, "/me", PAGE_TOKEN) == (100, 400)
    assert await code_of(http, graph, "/me", PAGE_TOKEN, appsecret_proof=proof[:-1] + "g") == (100, 400)
    assert await code_of(http, graph, "/me", PAGE_TOKEN, appsecret_proof="\u1ea1") == (100, 400)
    assert await code_of(http, graph, "/debug_token", PAGE_TOKEN, appsecret_proof=proof) == (10, 403)
    assert await code_of(http, graph, "/1/subscribed_apps", PAGE_TOKEN, appsecret_proof=proof) == (200, 403)
    assert await code_of(http, graph, "/404", PAGE_TOKEN, appsecret_proof=proof) == (100, 400)
    good = await http.get(f"{graph.base_url}/me", params={"appsecret_proof": proof}, headers={"authorization": f"Bearer {PAGE_TOKEN}"})
    assert (good.status_code, good.json()["id"]) == (200, PAGE_ID)


@pytest.mark.parametrize("key", ["GET /me", "/me", "page", "*"])
async def test_the_nearest_key_answers_and_a_list_is_gone_through(key: str, graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    keys = ["GET /me", "/me", "page", "*"]
    graph.answers = {farther: ill(503) for farther in keys[keys.index(key) + 1 :]}
    graph.answers[key] = [says({"n": 1}), says({"n": 2})]
    seen = [(await http.get(f"{graph.base_url}/me")).json()["n"] for _ in range(3)]
    assert seen == [1, 2, 2]
    assert [asked.call for asked in graph.wait_for(3, "page")] == ["page"] * 3
