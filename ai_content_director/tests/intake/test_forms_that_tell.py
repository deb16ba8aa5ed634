"""A form that brings its answers along is completed by the worker, whoever sent it and whoever else is in the delivery."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from tests.intake.open_door import fetch, open_door

SUBMITTED = {
    "app_id": "431",
    "sender": {"id": "246845883529197000"},
    "recipient": {"id": "388613280878808000"},
    "event_name": "user_submit_info",
    "info": {"name": "Đoàn Gia Bảo", "phone": "84912333400"},
    "timestamp": "1795260001000",
}


@pytest.mark.parametrize("named", [True, False])
async def test_a_form_of_zalo_owes_its_look_up(engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID, named: bool) -> None:
    body = SUBMITTED if named else {**SUBMITTED, "info": {"phone": "84912333400"}}
    async with open_door(database.app) as client:
        answer = await client.post("/webhooks/zalo", json=body, headers={"X-Tenant-ID": str(tenant_id)})
    assert answer.json()["created"] == 1
    owed = await fetch(database.owner, "SELECT kind, platform, state FROM look_ups WHERE tenant_id = $1", tenant_id)
    assert [tuple(row) for row in owed] == [("lead_form", "zalo", "pending")]


async def test_a_sample_of_the_dashboard_is_no_unknown_page(database: DatabaseAddresses) -> None:
    await fetch(
        database.owner,
        "INSERT INTO unrouted_deliveries (id, platform, channel_external_id, body)"
        " VALUES (gen_random_uuid(), 'facebook', '0', '{}'), (gen_random_uuid(), 'facebook', '', '{}'),"
        " (gen_random_uuid(), 'facebook', '719300', '{}')",
    )
    async with open_door(database.app) as client:
        told = (await client.get("/api/unknown-channels")).json()["unknown_channels"]
    assert [page["external_id"] for page in told if page["external_id"] in ("", "0", "719300")] == ["719300"]
