"""`/api/channels` over HTTP: clear refusals, walls between tenants, and no token in any answer or log."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from lead_signals.connections.channel_routes import channel_routes
from lead_signals.error_answers import answer_errors
from lead_signals.platforms.catalogue import ADAPTERS
from tests.connections.connected_pages import EVERY_FIELD, Shop
from tests.graph_api.graph_answers import ill
from tests.graph_api.graph_stand_in import APP_ID, PAGE_ID, PAGE_NAME, PAGE_TOKEN
from tests.intake.open_door import assert_refused
from tests.intake.strange_bodies import STRANGE_JSON

CHANNELS = "/api/channels"
TOLD = [
    "id",
    "tenant_id",
    "tenant_name",
    "platform",
    "external_id",
    "name",
    "token",
    "token_state",
    "token_expires_at",
    "subscribed_fields",
    "checked_at",
    "check_sentence",
    "last_heard_at",
    "quiet_since",
    "created_at",
]


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(channel_routes(shop.engine, shop.settings, shop.graph))
    answer_errors(app, {})
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def asked(shop: Shop, **changes: Any) -> dict[str, Any]:
    body = {"tenant_id": str(shop.tenant), "platform": "facebook", "external_id": PAGE_ID, "access_token": PAGE_TOKEN, **changes}
    return {name: value for name, value in body.items() if value is not ...}


async def test_a_day_in_the_life_of_a_channel(client: httpx.AsyncClient, shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    made = await client.post(CHANNELS, json=asked(shop))
    assert made.status_code == 201
    channel = made.json()
    assert list(channel) == TOLD
    assert (channel["name"], channel["token"], channel["token_state"]) == (PAGE_NAME, "set", "ok")
    again = await client.post(CHANNELS, json=asked(shop, access_token=..., name="Trang chính"))
    assert (again.status_code, again.json()["name"], again.json()["token"]) == (200, "Trang chính", "set")
    listed = await client.get(CHANNELS, params={"tenant_id": str(shop.tenant)})
    assert listed.json() == {"channels": [again.json()], "total": 1}
    shop.stand_in.subscriptions[PAGE_ID] = {}
    one = {"params": {"tenant_id": str(shop.tenant)}}
    checked = await client.post(f"{CHANNELS}/{channel['id']}/checks", **one)
    assert (checked.status_code, checked.json()["subscribed_fields"]) == (200, EVERY_FIELD)
    assert shop.stand_in.subscriptions[PAGE_ID] == {APP_ID: EVERY_FIELD}
    gone = await client.delete(f"{CHANNELS}/{channel['id']}", **one)
    assert (gone.status_code, gone.json()["unsubscribed"]) == (200, True)
    assert (await client.get(CHANNELS)).json() == {"channels": [], "total": 0}
    said = capsys.readouterr()
    answers = [answer.text for answer in (made, again, listed, checked, gone)]
    assert PAGE_TOKEN not in "".join([*answers, said.out, said.err])


async def test_the_operator_sees_all_tenants_and_a_tenant_its_own(client: httpx.AsyncClient, shop: Shop) -> None:
    neighbour = await shop.neighbour()
    await shop.connected(token=None)
    await shop.connected(neighbour, token=None, external_id="700000000000002")
    everywhere = (await client.get(CHANNELS)).json()
    assert everywhere["total"] == 2
    assert {channel["tenant_name"] for channel in everywhere["channels"]} == {"Nội thất Hoa Sen", "Thép Bắc Hà"}
    theirs = (await client.get(CHANNELS, params={"tenant_id": str(neighbour)})).json()
    assert [channel["external_id"] for channel in theirs["channels"]] == ["700000000000002"]
    page = (await client.get(CHANNELS, params={"limit": 1, "offset": 1})).json()
    assert (page["channels"], page["total"]) == (everywhere["channels"][1:], 2)
    assert_refused(await client.get(CHANNELS, params={"tenant_id": str(uuid4())}), 404, "There is no tenant")


async def test_what_is_anothers_cannot_be_touched(client: httpx.AsyncClient, shop: Shop) -> None:
    channel = (await shop.connected()).channel
    neighbour = await shop.neighbour()
    theirs = {"params": {"tenant_id": str(neighbour)}}
    assert_refused(await client.delete(f"{CHANNELS}/{channel.id}", **theirs), 404, "no connected channel")
    assert_refused(await client.post(f"{CHANNELS}/{channel.id}/checks", **theirs), 404, "no connected channel")
    assert_refused(await client.post(CHANNELS, json=asked(shop, tenant_id=str(neighbour))), 409, "connected to another tenant")
    assert (await shop.row()).disconnected_at is None
    without = await client.delete(f"{CHANNELS}/{channel.id}")
    assert (without.status_code, without.json()["problems"][0]["parameter"]) == (422, "tenant_id")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no tenant": ({"tenant_id": ...}, "tenant_id: Field required"),
    "no tenant id": ({"tenant_id": "hoa-sen"}, "tenant_id: "),
    "unknown platform": ({"platform": "myspace"}, f"we know {', '.join(sorted(ADAPTERS))}"),
    "an address as id": ({"external_id": "https://facebook.com/hoasen"}, "the Page's id, digits only"),
    "a number as id": ({"external_id": 700000000000001}, "external_id: "),
    "no id": ({"external_id": ""}, "digits only"),
    "a token with a line in it": ({"access_token": "EAA secret\nof ours"}, "access_token: this is no access token"),
    "an endless token": ({"access_token": "E" * 5000}, "access_token: this is no access token"),
    "a list as token": ({"access_token": ["EAAsecret"]}, "access_token: "),
    "a name with U+0000": ({"name": "a\x00b"}, "U+0000"),
    "an endless name": ({"name": "a" * 201}, "name: "),
    "a field nobody knows": ({"acces_token": "EAAsecret"}, "acces_token: Extra inputs"),
}


async def test_a_slip_is_told_by_its_field_and_quotes_nothing(client: httpx.AsyncClient, shop: Shop) -> None:
    for case, (changes, told) in REFUSED.items():
        answer = await client.post(CHANNELS, json=asked(shop, **changes))
        assert_refused(answer, 422, told)
        assert "secret" not in answer.text, case
    assert (await client.get(CHANNELS)).json()["total"] == 0
    assert shop.stand_in.requests == ()


async def test_a_token_for_a_platform_that_needs_none_is_refused(client: httpx.AsyncClient, shop: Shop) -> None:
    other = next((name for name in ("zalo", "whatsapp", "tiktok") if name in ADAPTERS), None)
    if other is None:
        pytest.skip("no platform beside Meta's is in the catalogue")
    assert_refused(await client.post(CHANNELS, json=asked(shop, platform=other)), 422, f"of no use for {other}")
    assert (await client.post(CHANNELS, json=asked(shop, platform=other, access_token=...))).status_code == 201


async def test_strange_bodies_are_refused_with_a_sentence(client: httpx.AsyncClient) -> None:
    for text in STRANGE_JSON:
        answer = await client.post(CHANNELS, content=text.encode("utf-8", "surrogatepass"))
        assert answer.status_code in (400, 422), ascii(text)
        assert answer.json()["ok"] is False


async def test_a_graph_that_is_away_answers_201_and_says_so(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.stand_in.answers["*"] = ill(502)
    made = await client.post(CHANNELS, json=asked(shop))
    assert (made.status_code, made.json()["token_state"]) == (201, "unchecked")
    assert "could not be reached" in made.json()["check_sentence"]


async def test_an_error_of_ours_does_not_show_the_token(
    client: httpx.AsyncClient, shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("lead_signals.connections.connect.promise_check", breaks)
    answer = await client.post(CHANNELS, json=asked(shop))
    assert answer.status_code == 500
    said = capsys.readouterr()
    assert PAGE_TOKEN not in answer.text + said.out + said.err
    assert (await client.get(CHANNELS)).json()["total"] == 0, "half a connection was kept"
