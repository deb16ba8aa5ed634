"""What each call asks of Graph, and what it makes of a good answer."""

from datetime import UTC, datetime

import httpx
import pytest

from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.graph_api.graph_failure import FailureKind, GraphFailure
from lead_signals.graph_api.lead_form import LeadAnswer, LeadForm
from lead_signals.graph_api.page_identity import PageIdentity
from lead_signals.graph_api.profile import Profile
from lead_signals.graph_api.token_check import TokenCheck
from tests.graph_api.graph_answers import dead_token, graph_error, ill, missing_permission, says
from tests.graph_api.graph_stand_in import ALL_SCOPES, APP_ID, PAGE_ID, PAGE_NAME, PAGE_TOKEN, GraphStandIn
from tests.receiver import Answer

LEAD_ID = "910000000000001"
PSID = "920000000000001"


async def test_a_lead_form_with_its_answers(graph: GraphStandIn, client: GraphClient) -> None:
    graph.fill_in_lead_form(
        LEAD_ID,
        {"full_name": ["Trần Thị Mơ"], "bạn_cần_gì": ["Bàn ăn", "6 ghế"], "phone_number": ["+84901234567"]},
        ad_id="820000000000001",
    )
    assert await client.fetch_lead_form(LEAD_ID, PAGE_TOKEN) == LeadForm(
        leadgen_id=LEAD_ID,
        form_id="810000000000001",
        ad_id="820000000000001",
        created_at=datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC),
        answers=(
            LeadAnswer("full_name", ("Trần Thị Mơ",)),
            LeadAnswer("bạn_cần_gì", ("Bàn ăn", "6 ghế")),
            LeadAnswer("phone_number", ("+84901234567",)),
        ),
    )
    (asked,) = graph.requests
    assert (asked.method, asked.path, asked.token) == ("GET", f"/{LEAD_ID}", PAGE_TOKEN)


async def test_odd_answers_of_a_form_are_read_or_counted_and_cost_no_neighbour(graph: GraphStandIn, client: GraphClient) -> None:
    entries = [
        {"name": "phone_number", "values": [84901234567, None]},
        {"name": "newsletter", "values": [True]},
        {"name": "note", "values": ["a\x00b", "   "]},
        {"name": "skipped", "values": []},
        {"name": "", "values": ["x"]},
        {"name": "nested", "values": [{"value": "x"}]},
        {"name": "flat", "values": "x"},
        "no object",
    ]
    graph.answers["lead_form"] = says(
        {"id": 91, "form_id": 810000000000002, "ad_id": 0, "created_time": 1_795_316_645, "field_data": entries}
    )
    form = await client.fetch_lead_form(LEAD_ID, PAGE_TOKEN)
    assert isinstance(form, LeadForm)
    assert form.answers == (
        LeadAnswer("phone_number", ("84901234567",)),
        LeadAnswer("newsletter", ("true",)),
        LeadAnswer("note", ("a\u2400b", "")),
        LeadAnswer("skipped", ()),
    )
    assert form.unread_answers == 4
    assert (form.form_id, form.ad_id, form.created_at) == ("810000000000002", None, datetime.fromtimestamp(1_795_316_645, UTC))


@pytest.mark.parametrize("created", [None, 0, "", "yesterday", "2026-11-22T03:04:05", -5, 10**18, True, [1], 1.5])
async def test_a_moment_that_cannot_be_read_costs_only_itself(created: object, graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["lead_form"] = says({"created_time": created, "field_data": []})
    assert await client.fetch_lead_form(LEAD_ID, PAGE_TOKEN) == LeadForm(LEAD_ID, None, None, None, ())


async def test_a_profile_with_all_its_names(graph: GraphStandIn, client: GraphClient) -> None:
    graph.people[PSID] = {"first_name": "Mơ", "last_name": "Trần", "name": "Trần Thị Mơ", "locale": "vi_VN"}
    profile = await client.fetch_profile(PSID, PAGE_TOKEN)
    assert profile == Profile(PSID, "Trần Thị Mơ", "Mơ", "Trần")
    assert profile.display_name == "Trần Thị Mơ"
    assert [asked.call for asked in graph.requests] == ["profile"]


@pytest.mark.parametrize(
    ("person", "shown"),
    [
        ({"first_name": "Mơ", "last_name": "Trần"}, "Mơ Trần"),
        ({"last_name": "Trần"}, "Trần"),
        ({"name": "  "}, None),
        ({"name": 7, "first_name": ["x"]}, None),
        ({"name": "x" * 2000}, "x" * 512),
        ({"name": "a\x00b"}, "a\u2400b"),
        ({}, None),
    ],
)
async def test_a_name_may_be_absent_or_odd(person: dict[str, object], shown: str | None, graph: GraphStandIn, client: GraphClient) -> None:
    graph.people[PSID] = person
    profile = await client.fetch_profile(PSID, PAGE_TOKEN)
    assert isinstance(profile, Profile)
    assert profile.display_name == shown


async def test_a_person_on_instagram_is_named_by_name_or_by_username(graph: GraphStandIn, client: GraphClient) -> None:
    graph.people["17840000000000031"] = {"name": "Mai Anh", "username": "mai.anh.31"}
    graph.people["17840000000000032"] = {"username": "xuong.go.32"}
    named = await client.fetch_instagram_profile("17840000000000031", PAGE_TOKEN)
    nameless = await client.fetch_instagram_profile("17840000000000032", PAGE_TOKEN)
    assert [person.display_name for person in (named, nameless) if isinstance(person, Profile)] == ["Mai Anh", "@xuong.go.32"]
    assert {request.query["fields"] for request in graph.requests} == {"name,username"}


async def test_who_has_no_profile_is_named_by_the_conversation(graph: GraphStandIn, client: GraphClient) -> None:
    graph.participants[PSID] = "Lê Văn Bình"
    assert await client.fetch_profile(PSID, PAGE_TOKEN) == Profile(PSID, "Lê Văn Bình")
    assert [(asked.call, asked.query.get("user_id")) for asked in graph.requests] == [("profile", None), ("conversations", PSID)]


@pytest.mark.parametrize(
    ("conversations", "kind", "code"),
    [
        (says({"data": []}), FailureKind.NOT_FOUND, 100),
        (says({"data": "none"}), FailureKind.NOT_FOUND, 100),
        (
            says({"data": [7, {}, {"participants": 7}, {"participants": {"data": [7, {"id": "1", "name": "Other"}]}}]}),
            FailureKind.NOT_FOUND,
            100,
        ),
        (says({"data": [{"participants": {"data": [{"id": PSID}]}}]}), FailureKind.NOT_FOUND, 100),
        (missing_permission(10), FailureKind.NOT_FOUND, 100),
        (ill(), FailureKind.RETRY, None),
        (dead_token(), FailureKind.RECONNECT, 190),
    ],
)
async def test_a_conversation_that_does_not_name_them(
    conversations: Answer, kind: FailureKind, code: int | None, graph: GraphStandIn, client: GraphClient
) -> None:
    """What the person's profile said stands, unless the second call leaves open whether they can be named."""
    graph.answers = {"profile": graph_error(100, 2018218), "conversations": conversations}
    failure = await client.fetch_profile(PSID, PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert (failure.kind, failure.code) == (kind, code)


async def test_other_failures_of_a_profile_ask_nobody_else(graph: GraphStandIn, client: GraphClient) -> None:
    graph.answers["profile"] = missing_permission(200)
    failure = await client.fetch_profile(PSID, PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert failure.kind is FailureKind.PERMISSION
    assert len(graph.requests) == 1


async def test_a_token_names_its_page(graph: GraphStandIn, client: GraphClient) -> None:
    assert await client.fetch_page(PAGE_TOKEN) == PageIdentity(PAGE_ID, PAGE_NAME)
    other = graph.connect_page("700000000000002", "EAAinventedTokenOfAnotherPage", None)
    assert await client.fetch_page(other) == PageIdentity("700000000000002", None)


async def test_a_living_token_is_checked_in_the_name_of_the_app(graph: GraphStandIn, client: GraphClient) -> None:
    graph.checks[PAGE_TOKEN] = {"expires_at": 1_795_316_645}
    check = await client.check_token(PAGE_TOKEN)
    assert check == TokenCheck(
        is_valid=True,
        expires_at=datetime.fromtimestamp(1_795_316_645, UTC),
        data_access_expires_at=datetime.fromtimestamp(1_800_000_000, UTC),
        scopes=tuple(ALL_SCOPES),
        app_id=APP_ID,
    )
    assert check.lacks("leads_retrieval", "ads_management", "pages_messaging") == ("ads_management",)
    (asked,) = graph.requests
    assert asked.token == f"{APP_ID}|{graph.app_secret.decode()}"


async def test_a_dead_token_is_an_answer_and_no_failure(client: GraphClient) -> None:
    assert await client.check_token("EAAforgotten") == TokenCheck(False, None, None, (), dead_because=467)


async def test_a_dead_token_of_the_app_is_no_reason_to_connect_the_page_again(graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    wrong = GraphClient(http, graph.base_url, app_id=APP_ID, app_secret=b"a-secret-of-another-app")
    failure = await wrong.check_token(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert (failure.kind, failure.code) == (FailureKind.REFUSED, 190)


async def test_a_subscription_from_nothing_and_back(graph: GraphStandIn, client: GraphClient) -> None:
    graph.subscriptions[PAGE_ID] = {"610000000000009": ["feed"]}  # another app's
    assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == ()
    assert await client.subscribe(PAGE_ID, PAGE_TOKEN, ["feed", "messages", "leadgen"]) is None
    assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == ("feed", "messages", "leadgen")
    assert await client.unsubscribe(PAGE_ID, PAGE_TOKEN) is None
    assert await client.subscribed_fields(PAGE_ID, PAGE_TOKEN) == ()
    assert graph.subscriptions[PAGE_ID] == {"610000000000009": ["feed"]}
    assert [asked.method for asked in graph.requests] == ["GET", "POST", "GET", "DELETE", "GET"]
    assert "subscribed_fields" not in graph.requests[1].query


@pytest.mark.parametrize("fields", [[], ["feed,messages"], [""], ["FEED"], ["feed&x=1"]])
async def test_a_field_that_is_none_is_a_mistake_of_ours(fields: list[str], client: GraphClient) -> None:
    with pytest.raises(ValueError, match="webhook fields look like"):
        await client.subscribe(PAGE_ID, PAGE_TOKEN, fields)


@pytest.mark.parametrize("app_secret", [None, b""])
async def test_without_a_secret_no_proof_is_sent(app_secret: bytes | None, graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    """An empty secret would sign with an empty key, which anyone can."""
    client = GraphClient(http, graph.base_url, app_id=APP_ID, app_secret=app_secret)
    assert await client.check_token(PAGE_TOKEN) == GraphFailure(FailureKind.NOT_CONFIGURED)
    failure = await client.fetch_page(PAGE_TOKEN)
    assert isinstance(failure, GraphFailure)
    assert (failure.kind, failure.code) == (FailureKind.REFUSED, 100)
    assert "appsecret_proof" not in graph.requests[0].query


async def test_what_needs_the_app_says_so_and_asks_nothing(graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    nameless = GraphClient(http, graph.base_url, app_secret=graph.app_secret)
    for failure in (await nameless.check_token(PAGE_TOKEN), await nameless.subscribed_fields(PAGE_ID, PAGE_TOKEN)):
        assert isinstance(failure, GraphFailure)
        assert failure.kind is FailureKind.NOT_CONFIGURED
    assert graph.requests == ()


@pytest.mark.parametrize("address", ["", "graph.facebook.com", "ftp://graph.facebook.com", "https://", "https://graph.facebook.com/?a=1"])
async def test_an_address_that_is_none_is_refused_at_once(address: str, http: httpx.AsyncClient) -> None:
    with pytest.raises(ValueError, match="must look like https"):
        GraphClient(http, address)


async def test_a_slash_at_the_end_of_the_address_changes_nothing(graph: GraphStandIn, http: httpx.AsyncClient) -> None:
    client = GraphClient(http, graph.base_url + "/", app_secret=graph.app_secret)
    assert await client.fetch_page(PAGE_TOKEN) == PageIdentity(PAGE_ID, PAGE_NAME)
