"""`/api/endpoints` over HTTP: clear refusals, walls between tenants, a secret told once, and no address in any log."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from lead_signals.error_answers import answer_errors
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason
from lead_signals.followups.endpoints.endpoint_list import GONE, NO_MAIL
from lead_signals.followups.endpoints.endpoint_routes import endpoint_routes
from lead_signals.followups.endpoints.pause_endpoint import pause_endpoint
from lead_signals.followups.endpoints.webhook_secret import is_secret
from lead_signals.settings import ConfigurationError, Settings
from lead_signals.tenancy.tenant_session import tenant_session
from tests.followups.endpoints.endpoint_house import GIVEN_SECRET, OLDER_KEY, OPERATORS_SECRET, EndpointHouse, mail_environment
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import assert_refused
from tests.intake.strange_bodies import STRANGE_JSON
from tests.receiver_answers import status

ENDPOINTS = "/api/endpoints"
OPERATORS = f"{ENDPOINTS}/{OPERATORS_ENDPOINT}"
SECRET_PATH = "https://n8n.example.vn/webhook/duong-dan-bi-mat-9xYz"
TOLD = [
    "id",
    "tenant_id",
    "tenant_name",
    "kind",
    "name",
    "address",
    "state",
    "secrets",
    "old_secret_until",
    "waiting",
    "oldest_waiting_seconds",
    "dead",
    "last_delivered_at",
    "last_failure_at",
    "last_failure",
    "trouble",
    "created_at",
]


def client_of(house: EndpointHouse, settings: Settings) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(endpoint_routes(house.engine, settings))
    answer_errors(app, {})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test")


@pytest.fixture
async def client(house: EndpointHouse) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(house, house.settings) as client:
        yield client


@pytest.fixture
async def operators_client(house: EndpointHouse) -> AsyncIterator[httpx.AsyncClient]:
    """Of an installation with WEBHOOK_URL."""
    settings = house.with_settings(WEBHOOK_URL=house.receiver.url, WEBHOOK_SIGNING_SECRET=f"{OPERATORS_SECRET},{GIVEN_SECRET}")
    async with client_of(house, settings) as client:
        yield client


def asked(house: EndpointHouse, **changes: Any) -> dict[str, Any]:
    body = {"tenant_id": str(house.tenant), "kind": "webhook", "name": "n8n của bán hàng", "address": SECRET_PATH, **changes}
    return {name: value for name, value in body.items() if value is not ...}


async def test_a_day_in_the_life_of_an_endpoint(
    client: httpx.AsyncClient, house: EndpointHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await client.post(ENDPOINTS, json=asked(house))
    assert made.status_code == 201
    endpoint, secret = made.json()["endpoint"], made.json()["secret"]
    assert list(endpoint) == TOLD
    assert (endpoint["state"], endpoint["secrets"], endpoint["address"]) == ("on", 1, "https://n8n.example.vn/…9xYz")
    assert is_secret(secret)
    assert made.json()["sentence"] == "New urgent leads of this tenant are told here. Keep the secret now: it is not shown again."
    one, whose = f"{ENDPOINTS}/{endpoint['id']}", {"params": {"tenant_id": str(house.tenant)}}
    assert (await client.get(one, **whose)).json() == endpoint
    rotated = await client.post(f"{one}/rotations", **whose)
    assert (rotated.status_code, rotated.json()["endpoint"]["secrets"]) == (201, 2)
    assert is_secret(rotated.json()["secret"])
    assert rotated.json()["secret"] != secret
    assert rotated.json()["sentence"].startswith("Both secrets sign until ")
    paused = await client.post(f"{one}/pauses", **whose)
    assert (paused.status_code, paused.json()["state"]) == (201, "paused")
    resumed = await client.delete(f"{one}/pauses", **whose)
    assert (resumed.status_code, resumed.json()["state"]) == (200, "on")
    removed = await client.delete(one, **whose)
    assert (removed.status_code, removed.json()["cancelled"]) == (200, 0)
    assert "nobody is told" in removed.json()["sentence"]
    assert (await client.get(ENDPOINTS)).json() == {"endpoints": [], "total": 0}
    assert_refused(await client.get(one, **whose), 404, "has no endpoint")
    assert await house.audited() == [
        ("ENDPOINT_ADDED", "OPERATOR", {"kind": "webhook"}),
        ("ENDPOINT_CHANGED", "OPERATOR", {"kind": "webhook", "keep_old_hours": 24}),
        ("ENDPOINT_CHANGED", "OPERATOR", {"paused": "by_operator"}),
        ("ENDPOINT_CHANGED", "OPERATOR", {"paused": None}),
        ("ENDPOINT_REMOVED", "OPERATOR", {"kind": "webhook"}),
    ]
    said = capsys.readouterr()
    later = "".join([paused.text, resumed.text, removed.text, said.out, said.err])
    assert "whsec_" not in later
    assert "bi-mat" not in made.text + rotated.text + later


async def test_nothing_lies_in_the_clear(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    made = (await client.post(ENDPOINTS, json=asked(house, secret=GIVEN_SECRET))).json()
    assert made["secret"] is None, "who gave it has it"
    (row,) = await house.fetch("SELECT follow_up_endpoints::text AS row, sealed_address, sealed_secret FROM follow_up_endpoints")
    assert "bi-mat" not in row["row"]
    assert GIVEN_SECRET not in row["row"]
    assert row["sealed_address"].startswith(b"gAAAA")
    assert (await house.row(UUID(made["endpoint"]["id"]))).sealed_old_secret is None


async def test_the_first_endpoint_takes_the_leads_from_webhook_url_and_the_last_gives_them_back(
    operators_client: httpx.AsyncClient, house: EndpointHouse
) -> None:
    await house.promise(2)
    first = (await operators_client.post(ENDPOINTS, json=asked(house))).json()
    assert "no longer to WEBHOOK_URL" in first["sentence"]
    second = (await operators_client.post(ENDPOINTS, json=asked(house, name="crm"))).json()
    assert "beside its 1 other endpoint." in second["sentence"]
    await house.promise(3)
    ids = [UUID(each["endpoint"]["id"]) for each in (first, second)]
    assert [len(await house.states(each)) for each in (OPERATORS_ENDPOINT, *ids)] == [2, 3, 3]
    for each in ids:
        gone = await operators_client.delete(f"{ENDPOINTS}/{each}", params={"tenant_id": str(house.tenant)})
        assert gone.json()["cancelled"] == 3
    assert "told to WEBHOOK_URL" in gone.json()["sentence"]
    await house.promise(1)
    assert await house.states() == ["pending"] * 3


async def test_the_list_tells_what_waits_and_how_it_went(operators_client: httpx.AsyncClient, house: EndpointHouse) -> None:
    await house.promise(1)
    endpoint = (await house.add()).endpoint.id
    await house.promise(6)
    ids = [row["id"] for row in await house.fetch("SELECT id FROM follow_ups WHERE endpoint_id = $1 ORDER BY id", endpoint)]
    await house.execute(
        f"""
        UPDATE follow_ups SET created_at = now() - interval '2 hours' WHERE id = '{ids[0]}';
        UPDATE follow_ups SET state = 'retrying', failures = 2, created_at = now() - interval '1 hour' WHERE id = '{ids[1]}';
        UPDATE follow_ups SET state = 'dead', failures = 14, finished_at = now() WHERE id IN ('{ids[2]}', '{ids[3]}');
        UPDATE follow_ups SET state = 'delivered', finished_at = '2026-11-23 01:00:00+00' WHERE id = '{ids[4]}';
        INSERT INTO delivery_attempts (tenant_id, follow_up_id, attempt, started_at, duration_ms, outcome, http_status, error_class)
        VALUES ('{house.tenant}', '{ids[1]}', 1, now() - interval '9 minutes', 5, 'try_again', 500, 'HTTP500'),
               ('{house.tenant}', '{ids[1]}', 2, now() - interval '3 minutes', 5, 'try_again', NULL, 'Timeout'),
               ('{house.tenant}', '{ids[2]}', 1, now() - interval '5 minutes', 5, 'try_again', 502, 'HTTP502');
        """
    )
    listed = (await operators_client.get(ENDPOINTS)).json()
    operators, theirs = listed["endpoints"]
    assert listed["total"] == 2
    assert (theirs["waiting"], theirs["dead"], theirs["last_failure"]) == (3, 2, "Timeout")
    assert 7100 < theirs["oldest_waiting_seconds"] < 7900
    assert theirs["last_delivered_at"] == "2026-11-23T01:00:00Z"
    assert list(operators) == TOLD
    assert (operators["id"], operators["name"], operators["tenant_id"]) == (str(OPERATORS_ENDPOINT), "WEBHOOK_URL", None)
    assert (operators["kind"], operators["secrets"], operators["state"]) == ("webhook", 2, "on")
    assert (operators["waiting"], operators["last_failure"]) == (1, None)
    mine = (await operators_client.get(ENDPOINTS, params={"tenant_id": str(house.tenant)})).json()
    assert (mine["endpoints"], mine["total"]) == ([theirs | {"oldest_waiting_seconds": mine["endpoints"][0]["oldest_waiting_seconds"]}], 1)
    pages = [(await operators_client.get(ENDPOINTS, params={"limit": 1, "offset": offset})).json() for offset in (0, 1, 2)]
    assert [[each["id"] for each in page["endpoints"]] for page in pages] == [[operators["id"]], [theirs["id"]], []]


async def test_webhook_url_is_paused_resumed_and_looked_at_and_nothing_else(
    operators_client: httpx.AsyncClient, client: httpx.AsyncClient, house: EndpointHouse
) -> None:
    seen = [(await operators_client.get(OPERATORS)).json()["state"]]
    with captured_logs() as logs:
        for method in ("POST", "POST", "DELETE", "DELETE"):
            seen.append((await operators_client.request(method, f"{OPERATORS}/pauses")).json()["state"])
    assert seen == ["on", "paused", "paused", "on", "on"]
    assert [line["state"] for line in logs.events("operators_endpoint_turned")] == ["paused", "on"]
    whose = {"params": {"tenant_id": str(house.tenant)}}
    assert_refused(await operators_client.delete(OPERATORS, **whose), 409, "This is WEBHOOK_URL, set in the environment; empty it there")
    assert_refused(await operators_client.post(f"{OPERATORS}/rotations", **whose), 409, "put the new one before the old one")
    assert_refused(await operators_client.post(f"{OPERATORS}/rotations"), 409, "WEBHOOK_SIGNING_SECRET=new,old")
    assert_refused(await operators_client.delete(OPERATORS), 409, "This is WEBHOOK_URL")
    for method, path in (("GET", ""), ("POST", "/pauses"), ("DELETE", "/pauses"), ("POST", "/tests")):
        assert_refused(await client.request(method, OPERATORS + path), 404, "WEBHOOK_URL is not set")


async def test_what_is_anothers_cannot_be_seen_or_touched(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    neighbour = await house.neighbour()
    theirs = {"params": {"tenant_id": str(neighbour)}}
    one = f"{ENDPOINTS}/{endpoint}"
    before = await house.row(endpoint)
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/rotations"),
        ("POST", "/pauses"),
        ("DELETE", "/pauses"),
        ("POST", "/tests"),
    ):
        assert_refused(await client.request(method, one + path, **theirs), 404, "has no endpoint")
        without = await client.request(method, one + path)
        assert without.status_code == 422, (method, path)
        assert "tenant_id" in without.text
    assert await house.row(endpoint) == before
    assert (await client.get(ENDPOINTS, **theirs)).json() == {"endpoints": [], "total": 0}
    assert_refused(await client.get(ENDPOINTS, params={"tenant_id": str(uuid4())}), 404, "There is no tenant")
    assert house.receiver.arrivals(str(house.tenant)) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no tenant": ({"tenant_id": ...}, "tenant_id: Field required"),
    "no tenant id": ({"tenant_id": "hoa-sen"}, "tenant_id: "),
    "unknown kind": ({"kind": "telegram"}, "kind: Input should be 'webhook', 'slack' or 'email'"),
    "no name": ({"name": " "}, "name: "),
    "an endless name": ({"name": "a" * 101}, "name: "),
    "a name with U+0000": ({"name": "a\x00b"}, "U+0000"),
    "a name of two lines": ({"name": "a\nb"}, "one line"),
    "a name that turns": ({"name": "a\u202eb"}, "one line"),
    "the operator's name": ({"name": "WEBHOOK_URL"}, "name: would be taken for WEBHOOK_URL or for an id"),
    "the operator's name in small": ({"name": "webhook-url"}, "name: would be taken"),
    "the operator's name in full width": ({"name": "ＷＥＢＨＯＯＫ＿ＵＲＬ"}, "name: would be taken"),
    "the operator's name with a mark nobody sees": ({"name": "WEBHOOK_\ufe0fURL\u034f"}, "name: would be taken"),
    "the operator's name with a space of no width": ({"name": "WEBHOOK\u200b_URL"}, "name: "),
    "the operator's name as lists show it": ({"name": "WEBHOOK_URL (operator's)"}, "name: would be taken"),
    "an id": ({"name": str(UUID(int=7))}, "name: would be taken"),
    "an id in other clothes": ({"name": "{urn:uuid:ＡＢ" + "0" * 30 + "}"}, "name: would be taken"),
    "no address": ({"address": ...}, "address: Field required"),
    "an empty address": ({"address": ""}, "address: "),
    "an endless address": ({"address": f"https://n8n.example.vn/{'bimat' * 500}"}, "address: "),
    "a list as address": ({"address": ["https://bimat.example.vn/"]}, "address: "),
    "an address without TLS": ({"address": "http://bimat.example.vn/"}, "address: The address must begin with https://"),
    "an address of this house": ({"address": "https://10.0.0.8/bimat"}, "address: The host is an address that is not reached from here"),
    "mail to a URL": ({"kind": "email", "address": "https://bimat.example.vn/"}, "address: Expected 1 to 5 e-mail addresses"),
    "a secret that is none": ({"secret": "whsec_bimat"}, "secret: expected whsec_ and base64"),
    "a short secret": ({"secret": "whsec_YmltYXQ="}, "secret: expected whsec_ and base64"),
    "a secret without its word": ({"secret": GIVEN_SECRET.removeprefix("whsec_")}, "secret: expected whsec_ and base64"),
    "a secret for Slack": ({"kind": "slack", "secret": GIVEN_SECRET}, "secret is of no use for slack"),
    "a field nobody knows": ({"adress": "https://bimat.example.vn/"}, "adress: Extra inputs"),
}


async def test_a_slip_is_told_by_its_field_and_quotes_nothing(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    for case, (changes, told) in REFUSED.items():
        answer = await client.post(ENDPOINTS, json=asked(house, **changes))
        assert_refused(answer, 422, told)
        assert "bimat" not in answer.text, case
    assert (await client.get(ENDPOINTS)).json()["total"] == 0


async def test_what_cannot_be_is_told_with_what_to_do(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    assert_refused(await client.post(ENDPOINTS, json=asked(house, tenant_id=str(uuid4()))), 404, "There is no tenant")
    assert_refused(await client.post(ENDPOINTS, json=asked(house, kind="email", address="a@example.vn")), 409, NO_MAIL)
    async with client_of(house, house.with_settings(CHANNEL_TOKEN_KEY="")) as without_key:
        assert_refused(await without_key.post(ENDPOINTS, json=asked(house)), 409, "openssl rand -base64 32")
    assert (await client.post(ENDPOINTS, json=asked(house))).status_code == 201
    assert_refused(await client.post(ENDPOINTS, json=asked(house)), 409, "has an endpoint of this name already")
    for number in range(9):
        assert (await client.post(ENDPOINTS, json=asked(house, name=f"số {number}"))).status_code == 201
    assert_refused(await client.post(ENDPOINTS, json=asked(house, name="một nữa")), 409, "has 10 endpoints, the most")
    neighbour = await house.neighbour()
    assert (await client.post(ENDPOINTS, json=asked(house, tenant_id=str(neighbour)))).status_code == 201


async def test_strange_bodies_are_refused_with_a_sentence(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    for text in STRANGE_JSON:
        for path in (ENDPOINTS, f"{ENDPOINTS}/{endpoint}/rotations?tenant_id={house.tenant}"):
            answer = await client.post(path, content=text.encode("utf-8", "surrogatepass"))
            if text.strip() not in ("", "{}"):  # nothing told rotates with a secret made here
                assert answer.status_code in (400, 422), ascii(text)
                assert answer.json()["ok"] is False


async def test_a_name_that_only_speaks_of_it_is_taken(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    for name in ("thay cho WEBHOOK_URL", "webhook", "0123-4567"):
        assert (await client.post(ENDPOINTS, json=asked(house, name=name))).status_code == 201, name


async def test_a_slip_in_a_parameter_widens_nothing(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    one = f"{ENDPOINTS}/{(await house.add()).endpoint.id}"
    for method, path in (
        ("GET", ENDPOINTS),
        ("POST", ENDPOINTS),
        *(("GET", one), ("DELETE", one), ("POST", f"{one}/pauses"), ("DELETE", f"{one}/pauses")),
        *(("POST", f"{one}/rotations"), ("POST", f"{one}/tests")),
    ):
        slip = {"tenant_id": str(house.tenant), "tennant_id": str(house.tenant), "<b>" + "x" * 99: ""}
        answer = await client.request(method, path, params=slip)
        assert_refused(answer, 422, "tennant_id: this address knows no such parameter.", "It knows ")
        assert "x" * 61 not in answer.text
    assert_refused(await client.get(ENDPOINTS, params={"limits": "1"}), 422, "limits: ", "It knows tenant_id, limit, offset.")
    assert (await client.get(one, params={"tenant_id": str(house.tenant)})).json()["state"] == "on"


async def test_every_refusal_is_described(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    app = FastAPI()
    app.include_router(endpoint_routes(house.engine, house.settings))
    paths = app.openapi()["paths"]
    for path, methods in paths.items():
        for method, told in methods.items():
            assert {"401", "404", "422"} <= set(told["responses"]), (method, path)
    assert "409" in paths["/api/endpoints/{endpoint_id}"]["delete"]["responses"]
    assert {"201", "400", "409", "413"} <= set(paths["/api/endpoints"]["post"]["responses"])


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"keep_old_hours": -1}, "keep_old_hours: "),
        ({"keep_old_hours": 169}, "keep_old_hours: "),
        ({"keep_old_hours": "24"}, "keep_old_hours: "),
        ({"keep_old_hours": True}, "keep_old_hours: "),
        ({"secret": "bimat"}, "secret: expected whsec_"),
        ({"hours": 1}, "hours: Extra inputs"),
        ({"secret": GIVEN_SECRET}, "secret: this is the one in force"),
    ],
)
async def test_a_rotation_is_read_strictly(told: dict[str, Any], sentence: str, client: httpx.AsyncClient, house: EndpointHouse) -> None:
    endpoint = (await house.add(secret=GIVEN_SECRET)).endpoint.id
    before = await house.row(endpoint)
    answer = await client.post(f"{ENDPOINTS}/{endpoint}/rotations", params={"tenant_id": str(house.tenant)}, json=told)
    assert_refused(answer, 422, sentence)
    assert "bimat" not in answer.text
    assert await house.row(endpoint) == before


async def test_slack_and_mail_have_no_secret_to_rotate(house: EndpointHouse) -> None:
    settings = house.with_settings(**mail_environment())
    async with client_of(house, settings) as client:
        for kind, address in (("slack", SECRET_PATH), ("email", "a@example.vn, b@example.vn")):
            made = await client.post(ENDPOINTS, json=asked(house, kind=kind, name=kind, address=address))
            assert (made.status_code, made.json()["secret"], made.json()["endpoint"]["secrets"]) == (201, None, 0)
            path = f"{ENDPOINTS}/{made.json()['endpoint']['id']}/rotations"
            assert_refused(await client.post(path, params={"tenant_id": str(house.tenant)}), 409, f"of kind {kind}: only webhooks")
        assert made.json()["endpoint"]["address"] == "a@example.vn, b@example.vn"


async def test_what_is_the_matter_is_told(house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    async with tenant_session(house.engine, house.tenant) as session:
        await pause_endpoint(session, house.tenant, endpoint, PauseReason.GONE)
    async with client_of(house, house.settings) as client:
        (shown,) = (await client.get(ENDPOINTS)).json()["endpoints"]
        assert (shown["state"], shown["trouble"]) == ("gone", GONE)
        whose = {"params": {"tenant_id": str(house.tenant)}}
        assert (await client.post(f"{ENDPOINTS}/{endpoint}/pauses", **whose)).json()["state"] == "gone"
    async with client_of(house, house.with_settings(CHANNEL_TOKEN_KEY=OLDER_KEY)) as without_its_key:
        (shown,) = (await without_its_key.get(ENDPOINTS)).json()["endpoints"]
        assert "put the key back that sealed it" in shown["trouble"]
        for path in ("rotations", "tests"):
            assert_refused(await without_its_key.post(f"{ENDPOINTS}/{endpoint}/{path}", **whose), 409, "put the key back that sealed it")


async def test_a_trial_tells_how_it_went(client: httpx.AsyncClient, house: EndpointHouse) -> None:
    endpoint = (await house.add()).endpoint.id
    path, whose = f"{ENDPOINTS}/{endpoint}/tests", {"params": {"tenant_id": str(house.tenant)}}
    good = await client.post(path, **whose)
    assert (good.status_code, good.json()["ok"], good.json()["http_status"], good.json()["answer"]) == (200, True, 200, '{"ok":true}')
    house.receiver.script(str(house.tenant), status(500, b"<script>\xff\x00"))
    bad = (await client.post(path, **whose)).json()
    assert (bad["ok"], bad["outcome"], bad["error_class"], bad["answer"]) == (False, "try_again", "HTTP500", "<script>\ufffd\ufffd")
    first, second = house.receiver.arrivals(str(house.tenant))
    assert first.webhook_id != second.webhook_id
    assert first.webhook_id == good.json()["webhook_id"]
    assert await house.fetch("SELECT FROM follow_ups") == [], "a trial is no promise"


async def test_allowed_hosts_that_cannot_be_read_are_told_at_the_start(house: EndpointHouse) -> None:
    with pytest.raises(ConfigurationError, match="WEBHOOK_ALLOWED_HOSTS"):
        endpoint_routes(house.engine, house.with_settings(WEBHOOK_ALLOWED_HOSTS="http://n8n/"))
