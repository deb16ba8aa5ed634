"""`POST /onboarding`: a tenant and its brand profile, exactly as sent; every refusal names the field."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.request_body import BODY_LIMIT_BYTES
from tests.deliveries import ONBOARDING, comment
from tests.intake.open_door import WEBHOOK, assert_refused, fetch, open_door, rows_by_table
from tests.intake.strange_bodies import STRANGE_JSON, STRANGE_TEXTS

TEXT_FIELDS = {"tenant_name": 200, "industry": 200, "brand_tone": 2000, "target_customer": 2000, "cta_style": 2000}


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app) as client:
        yield client


async def test_the_answer_has_exactly_the_shape_of_the_runbook(client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    answer = await client.post("/onboarding", json=ONBOARDING)
    assert answer.status_code == 201
    told = answer.json()
    tenant, profile = told["tenant"], told["brand_profile"]
    assert list(told) == ["tenant", "brand_profile"]
    assert list(tenant) == ["id", "name", "industry", "created_at"]
    assert list(profile) == ["id", "tenant_id", "brand_tone", "main_services", "target_customer", "cta_style", "created_at"]
    assert (tenant["name"], tenant["industry"]) == (ONBOARDING["tenant_name"], ONBOARDING["industry"])
    assert {name: profile[name] for name in ("brand_tone", "main_services", "target_customer", "cta_style")} == {
        name: ONBOARDING[name] for name in ("brand_tone", "main_services", "target_customer", "cta_style")
    }
    assert profile["tenant_id"] == tenant["id"]
    assert (UUID(tenant["id"]).version, UUID(profile["id"]).version) == (7, 7)
    for made in (tenant["created_at"], profile["created_at"]):
        assert datetime.fromisoformat(made).utcoffset() == timedelta(0)
    (row,) = await fetch(database.owner, "SELECT * FROM brand_profiles WHERE tenant_id = $1", UUID(tenant["id"]))
    assert (str(row["id"]), row["main_services"], row["created_at"]) == (
        profile["id"],
        ONBOARDING["main_services"],
        datetime.fromisoformat(profile["created_at"]),
    )


async def test_a_new_tenant_takes_deliveries_at_once(client: httpx.AsyncClient) -> None:
    tenant_id = (await client.post("/onboarding", json={"tenant_name": "Bún Cô Ba"})).json()["tenant"]["id"]
    assert (await client.get("/api/leads", params={"tenant_id": tenant_id})).json() == {"tenant_id": tenant_id, "leads": [], "total": 0}
    assert (await client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": tenant_id})).json()["created"] == 1


async def test_only_the_name_is_needed_and_the_rest_is_empty(client: httpx.AsyncClient) -> None:
    told = (await client.post("/onboarding", json={"tenant_name": "  Bún Cô Ba  "})).json()
    assert (told["tenant"]["name"], told["tenant"]["industry"]) == ("Bún Cô Ba", "")
    assert told["brand_profile"]["main_services"] == []


@pytest.mark.parametrize("text", [text for text in STRANGE_TEXTS if "\x00" not in text and len(text) <= 200 and text.strip()], ids=ascii)
async def test_what_can_be_stored_comes_back_as_it_was_written(text: str, client: httpx.AsyncClient) -> None:
    sent = {**dict.fromkeys(TEXT_FIELDS, text), "main_services": [text, text]}
    answer = await client.post("/onboarding", json=sent)
    assert answer.status_code == 201
    told = answer.json()
    assert told["tenant"]["name"] == text.strip()
    assert told["brand_profile"]["main_services"] == [text.strip()] * 2


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"tenant_name": None}, "tenant_name"),
    "name missing": ({"industry": "x", "tenant_name": ...}, "tenant_name"),
    "empty name": ({"tenant_name": ""}, "tenant_name"),
    "blank name": ({"tenant_name": " \t\n "}, "tenant_name"),
    "a number as name": ({"tenant_name": 7}, "tenant_name"),
    "a list as name": ({"tenant_name": ["x"]}, "tenant_name"),
    "services as a text": ({"main_services": "x"}, "main_services"),
    "a number among the services": ({"main_services": ["x", 7]}, "main_services.1"),
    "101 services": ({"main_services": ["x"] * 101}, "main_services"),
    "a field we do not know": ({"tenant_nmae": "x"}, "tenant_nmae"),
    "an id of one's own": ({"id": "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"}, "id"),
    **{f"U+0000 in {name}": ({name: "a\x00b"}, name) for name in TEXT_FIELDS},
    "U+0000 in a service": ({"main_services": ["x", "\x00"]}, "main_services.1"),
    **{f"{name} too long": ({name: "đ" * (longest + 1)}, name) for name, longest in TEXT_FIELDS.items()},
}


@pytest.mark.parametrize("row", REFUSED)
async def test_a_refusal_names_the_field_and_not_its_value(row: str, client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    changed, field = REFUSED[row]
    before = await rows_by_table(database.owner)
    sent = {name: value for name, value in {**ONBOARDING, **changed}.items() if value is not ...}
    answer = await client.post("/onboarding", json=sent)
    assert_refused(answer, 422)
    assert answer.json()["error"].startswith(f"{field}: ")
    assert "đđ" not in answer.text
    assert await rows_by_table(database.owner) == before


async def test_several_wrong_fields_are_named_at_once_and_a_flood_of_them_is_not_repeated(client: httpx.AsyncClient) -> None:
    several = (await client.post("/onboarding", json={"tenant_name": 1, "industry": 2, "x": 3})).json()["error"]
    assert [sentence.split(":")[0].split()[-1] for sentence in several.split(". ")] == ["tenant_name", "industry", "x"]
    flood = await client.post("/onboarding", json={"tenant_name": "x", **{f"{number}" + "y" * 200: 1 for number in range(3_000)}})
    assert flood.status_code == 422
    assert len(flood.content) < 3_000


BAD_BODIES = {
    "not JSON": (b"tenant_name=x", 400),
    "empty": (b"", 400),
    "NaN": (b'{"tenant_name":NaN}', 400),
    "beyond a double": (b'{"tenant_name":1e400}', 400),
    "a lone surrogate as bytes": (b'{"tenant_name":"\xed\xa0\x80"}', 400),
    "not UTF-8": (b'{"tenant_name":"\xff"}', 400),
    "a list": (b"[]", 400),
    "33 levels": (b'{"tenant_name":' + b"[" * 32 + b"]" * 32 + b"}", 400),
    "100,000 levels": (b"[" * 100_000, 400),
    "over 1 MiB": (b'{"tenant_name":"' + b"x" * BODY_LIMIT_BYTES + b'"}', 413),
}


@pytest.mark.parametrize("row", BAD_BODIES)
async def test_a_body_we_cannot_take(row: str, client: httpx.AsyncClient, database: DatabaseAddresses) -> None:
    raw, status = BAD_BODIES[row]
    before = await rows_by_table(database.owner)
    assert_refused(await client.post("/onboarding", content=raw), status)
    assert await rows_by_table(database.owner) == before


async def test_a_compressed_body_is_refused(client: httpx.AsyncClient) -> None:
    assert_refused(await client.post("/onboarding", json=ONBOARDING, headers={"content-encoding": "gzip"}), 415, "Content-Encoding")


@pytest.mark.parametrize("field", [*TEXT_FIELDS, "main_services"])
async def test_hostile_values_never_break_it(field: str, client: httpx.AsyncClient) -> None:
    for written in STRANGE_JSON:
        fields = {name: orjson.dumps(value) for name, value in ONBOARDING.items()} | {field: written.encode()}
        raw = b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items()) + b"}"
        assert (await client.post("/onboarding", content=raw)).status_code in {201, 400, 422}, written[:50]
