"""The operator's key opens everything that shows or changes tenants' data; a route that forgets to ask for it fails here."""

import base64
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.http_app import make_app
from lead_signals.settings import read_settings
from tests.deliveries import ONBOARDING, comment
from tests.intake.open_door import WEBHOOK, assert_refused, open_door, rows_by_table

KEY = "khoá-vận-hành-à"  # ends in a byte (0xA0) that text functions take for a space
NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"
# Machines nearby, the platforms (which prove themselves), and files that say nothing about anybody. Written out by hand.
HANDSHAKES = {("GET", "/webhooks/facebook"), ("GET", "/webhooks/instagram"), ("GET", "/webhooks/whatsapp")}
DELIVERIES = {("POST", f"/webhooks/{platform}") for platform in ("facebook", "instagram", "whatsapp", "zalo", "tiktok")}
# A receiver proves itself by its endpoint's secret: tests/followups/oversight.
RECEIPTS = {("POST", "/api/follow-ups/{follow_up}/receipts")}
OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/static/{hashed_name}")} | HANDSHAKES | DELIVERIES | RECEIPTS


def every_route() -> Iterator[tuple[str, str]]:
    app = make_app(NOBODY_LISTENS, read_settings({"OPERATOR_API_KEY": KEY}))
    for context in iter_route_contexts(app.routes):
        for method in sorted(context.methods or {"GET"}):
            yield method, str(context.path)


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, OPERATOR_API_KEY=KEY) as client:
        yield client


def test_the_list_of_routes_is_read_well() -> None:
    routes = set(every_route())
    assert routes >= OPEN
    assert {("GET", "/api/leads"), ("POST", "/onboarding"), ("GET", "/"), ("GET", "/metrics"), ("GET", "/openapi.json")} <= routes
    assert not {path for _, path in routes} & {"/docs", "/redoc", "/docs/oauth2-redirect"}
    contexts = list(iter_route_contexts(make_app(NOBODY_LISTENS, read_settings({})).routes))
    assert all(isinstance(context.original_route, APIRoute) for context in contexts), "a mounted application asks for no key"


@pytest.mark.parametrize(("method", "path"), sorted(set(every_route()) - OPEN))
async def test_every_other_route_is_closed_without_the_key(
    method: str, path: str, client: httpx.AsyncClient, database: DatabaseAddresses
) -> None:
    before = await rows_by_table(database.owner)
    address = path.replace("{", "").replace("}", "")
    for headers in ({}, {"authorization": "Bearer khoa-khac"}, {"x-api-key": ""}, {"authorization": basic("khoa-khac")}):
        answer = await client.request(method, address, json=ONBOARDING, headers=headers)
        assert answer.status_code == 401, (method, address)
        assert answer.headers["www-authenticate"] == 'Basic realm="Lead Signals", charset="UTF-8"'
        if method != "HEAD":
            assert_refused(answer, 401, "OPERATOR_API_KEY")
    assert (await client.request(method, address, json=ONBOARDING, headers={"x-api-key": KEY.encode()})).status_code != 401
    after = await rows_by_table(database.owner)
    assert after == before or method == "POST"


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
async def test_the_open_ones_ask_for_no_key(method: str, path: str, client: httpx.AsyncClient) -> None:
    answer = await client.request(method, path.replace("{hashed_name}", "style.000000000000.css"))
    assert answer.status_code != 401


def basic(password: str, user: str = "operator") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


OPENS = {
    "Bearer": {"authorization": f"Bearer {KEY}".encode()},
    "bearer, in small letters and with spaces": {"authorization": f"bearer   {KEY} ".encode()},
    "X-API-Key": {"x-api-key": KEY.encode()},
    "Basic": {"authorization": basic(KEY)},
    "Basic without a user": {"authorization": basic(KEY, user="")},
    "a wrong Basic beside the right X-API-Key": {"authorization": basic("khac"), "x-api-key": KEY.encode()},
}


@pytest.mark.parametrize("way", OPENS)
async def test_each_way_of_showing_the_key_opens(way: str, client: httpx.AsyncClient) -> None:
    assert (await client.get("/metrics", headers=OPENS[way])).status_code == 200


REFUSED: dict[str, list[tuple[bytes, bytes]]] = {
    "bytes that are no text": [(b"authorization", b"Bearer \xff\xfe")],
    "bytes that are no text, as X-API-Key": [(b"x-api-key", b"\xff" * 40)],
    "Latin-1 instead of UTF-8": [(b"x-api-key", "khoá".encode("latin-1"))],
    "Basic that is not base64": [(b"authorization", b"Basic %%%%")],
    "Basic beyond ASCII": [(b"authorization", "Basic ａａａａ".encode())],
    "Basic without a colon": [(b"authorization", b"Basic " + base64.b64encode(KEY.encode()))],
    "Basic with the key as user": [(b"authorization", basic("", user=KEY).encode())],
    "only the scheme": [(b"authorization", b"Bearer")],
    "an unknown scheme": [(b"authorization", b"Digest " + KEY.encode())],
    "a part of the key": [(b"x-api-key", KEY.encode()[:-1])],
    "more than the key": [(b"x-api-key", KEY.encode() + b"x")],
    "100,000 characters": [(b"x-api-key", b"x" * 100_000)],
}


@pytest.mark.parametrize("what", REFUSED)
async def test_anything_else_is_refused_and_never_breaks(what: str, client: httpx.AsyncClient) -> None:
    assert_refused(await client.get("/metrics", headers=REFUSED[what]), 401)


async def test_the_key_is_not_taken_from_the_address_or_a_cookie(client: httpx.AsyncClient) -> None:
    for name in ("api_key", "key", "x-api-key", "access_token"):
        assert (await client.get("/metrics", params={name: KEY})).status_code == 401
        assert (await client.get("/metrics", headers=[(b"cookie", f"{name}={KEY}".encode())])).status_code == 401


async def test_without_a_configured_key_this_machine_is_open(database: DatabaseAddresses) -> None:
    async with open_door(database.app) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.post("/onboarding", json=ONBOARDING)).status_code == 201


@pytest.mark.parametrize("environment", [{}, {"OPERATOR_API_KEY": KEY}], ids=["open", "with a key"])
async def test_a_page_of_another_site_cannot_act_through_the_browser(environment: dict[str, str], database: DatabaseAddresses) -> None:
    before = await rows_by_table(database.owner)
    async with open_door(database.app, **environment) as client:
        key = {"authorization": basic(KEY)}
        refused = await client.post("/onboarding", json=ONBOARDING, headers={**key, "sec-fetch-site": "cross-site"})
        assert_refused(refused, 403, "another site")
        assert await rows_by_table(database.owner) == before
        assert (await client.get("/metrics", headers={**key, "sec-fetch-site": "cross-site"})).status_code == 200
        for own in ("same-origin", "none"):
            assert (await client.post("/onboarding", json=ONBOARDING, headers={**key, "sec-fetch-site": own})).status_code == 201


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-site"}, 403),  # another port of localhost is the same site
        ({"origin": "http://evil.example"}, 403),  # plain http beyond localhost: browsers leave Sec-Fetch-Site out
        ({"origin": "null"}, 403),
        ({"origin": "http://test"}, 201),
        ({}, 201),
    ],
)
async def test_what_a_browser_says_of_where_a_change_comes_from(headers: dict[str, str], status: int, database: DatabaseAddresses) -> None:
    async with open_door(database.app) as client:
        assert (await client.post("/onboarding", json=ONBOARDING, headers=headers)).status_code == status


@pytest.mark.parametrize("address", sorted(address for _, address in DELIVERIES))
async def test_a_page_of_another_site_cannot_deliver_either(address: str, database: DatabaseAddresses) -> None:
    async with open_door(database.app) as client:
        refused = await client.post(address, json=comment("c1"), headers={"sec-fetch-site": "cross-site"})
        assert_refused(refused, 403, "another site")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8000", 403),
        ("localhost:8000", 200),
        ("lead.localhost", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.20:8000", 200),
        ("api:8000", 200),
        ("leads.example.vn", 200),
    ],
)
async def test_without_a_key_a_strangers_name_for_this_machine_opens_nothing(host: str, status: int, database: DatabaseAddresses) -> None:
    async with open_door(database.app, PUBLIC_BASE_URL="https://leads.example.vn") as client:
        assert (await client.get("/", headers={"host": host})).status_code == status
        assert (await client.get("/health", headers={"host": host})).status_code == 200


async def test_a_slash_too_many_is_no_redirect_to_the_name_a_stranger_sent(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/leads/", headers={"host": "evil.example"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_deliveries_need_no_operators_key(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    onboarded = await client.post("/onboarding", json=ONBOARDING, headers={"x-api-key": KEY.encode()})
    headers = {"X-Tenant-ID": onboarded.json()["tenant"]["id"]}
    assert (await client.post(WEBHOOK, json=comment("c1"), headers=headers)).json()["created"] == 1
