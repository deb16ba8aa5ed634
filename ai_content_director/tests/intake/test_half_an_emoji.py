"""A comment cut in the middle of an emoji costs nobody a lead: neither its writer nor the neighbours in the same signed batch."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import said_on
from tests.intake.books import assert_books_balance
from tests.intake.open_door import fetch, open_door
from tests.intake.page_deliveries import delivery, page_entry
from tests.signatures import ENVIRONMENT, PLATFORMS, signed_as

WHOLE, CUT = "Cho tôi báo giá 😊", "Cho tôi báo giá \ud83d"


@pytest.fixture(scope="module")
async def client(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    async with open_door(database.app, **ENVIRONMENT) as client:
        yield client


async def post(client: httpx.AsyncClient, platform: str, raw: bytes, tenant_id: UUID) -> httpx.Response:
    headers = [*signed_as(platform, raw), (b"x-tenant-id", str(tenant_id).encode())]
    return await client.post(f"/webhooks/{platform}", content=raw, headers=headers)


async def texts_of(client: httpx.AsyncClient, tenant_id: UUID) -> dict[str, str]:
    leads = (await client.get("/api/leads", params={"tenant_id": str(tenant_id)})).json()["leads"]
    return {lead["external_message_id"]: lead["content_text"] for lead in leads}


async def test_the_cut_comment_and_its_neighbours_become_leads(
    client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    told: Any = orjson.loads(delivery(page_entry("710020003000", ("c_1", WHOLE), ("c_2", "half"), ("c_3", "Gõ \\ud83d là gì?"))))
    told["entry"][0]["changes"][1]["value"]["message"] = CUT
    raw = json.dumps(told).encode()
    with pytest.raises(orjson.JSONDecodeError, match="surrogate"):
        orjson.loads(raw)

    answer = await post(client, "facebook", raw, tenant_id)

    assert (answer.status_code, answer.json().get("created")) == (200, 3), answer.text
    assert await texts_of(client, tenant_id) == {"c_1": WHOLE, "c_2": "Cho tôi báo giá \ufffd", "c_3": "Gõ \\ud83d là gì?"}
    (receipt,) = await fetch(database.owner, "SELECT body, signed FROM receipts WHERE tenant_id = $1", tenant_id)
    assert (receipt["body"], receipt["signed"]) == (raw, True)
    await assert_books_balance(database.owner, tenant_id)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_cut_message_is_a_lead_on_every_platform(platform: str, client: httpx.AsyncClient, tenant_id: UUID) -> None:
    told = said_on(platform, "710020003000", uuid4().hex, "half")
    inside = json.dumps(CUT)[1:-1]  # what TikTok says is JSON in a text: there the cut stands in the inner JSON
    raw = json.dumps(told).replace("half", inside.replace("\\", "\\\\") if platform == "tiktok" else inside).encode()
    answer = await post(client, platform, raw, tenant_id)
    assert (answer.status_code, answer.json().get("created")) == (200, 1), answer.text
    assert list((await texts_of(client, tenant_id)).values()) == ["Cho tôi báo giá \ufffd"]
