"""A delivery that shows a key is told about its key, never about a signature it did not mean to send."""

import base64
import json
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.tenancy.api_key import make_api_key, revoke_api_key
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import said_on
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import assert_refused, open_door, rows_by_table
from tests.signatures import signed_as

SECRET = "bi-mat-cua-trang"
UNKNOWN = "This API key is unknown or was revoked"
UNREADABLE = "No API key can be read from Authorization; send it as 'Authorization: Bearer <key>'"


async def refusals(database: DatabaseAddresses, headers: dict[str, str], *told: str) -> None:
    """The delivery is refused with these words, without a word about a signature, counted as a bad key, and nothing is stored."""
    before = await rows_by_table(database.owner)
    body = said_on("facebook", "710020003000", uuid4().hex, "Cho tôi báo giá")
    with captured_logs("DEBUG") as logs:
        async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET) as client:
            answer = await client.post("/webhooks/facebook", json=body, headers=headers)
    assert_refused(answer, 401, *told)
    assert "signature" not in answer.text.lower()
    assert [event["reason"] for event in logs.events("delivery_refused")] == ["bad_key"]
    assert await rows_by_table(database.owner) == before


@pytest.mark.parametrize("revoked", [True, False], ids=["revoked", "made up"])
async def test_a_key_that_opens_nothing_is_told_as_such(revoked: bool, database: DatabaseAddresses, engine: AsyncEngine) -> None:
    tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Mộc An Nhiên"))).tenant.id
    key = f"lsk_{tenant_id.hex}_{'x' * 43}"
    if revoked:
        async with tenant_session(engine, tenant_id) as session:
            key_id, key = await make_api_key(session, tenant_id, "Cũ")
            assert await revoke_api_key(session, tenant_id, key_id)
    await refusals(database, {"authorization": f"Bearer {key}"}, UNKNOWN)
    await refusals(database, {"x-api-key": key}, UNKNOWN)


@pytest.mark.parametrize(
    "shown",
    ["lsk_khong-co-chu-bearer", "Token lsk_abc", "Bearer", "Basic khong-phai-base64!", "Basic " + base64.b64encode(b"\xff").decode(), ""],
)
async def test_a_key_that_cannot_be_read_is_told_as_such(shown: str, database: DatabaseAddresses) -> None:
    said = UNREADABLE if not shown.startswith(("Bearer", "Basic /")) else UNKNOWN
    await refusals(database, {"authorization": shown}, said)


async def test_a_delivery_that_shows_no_key_is_asked_for_its_signature_as_before(database: DatabaseAddresses) -> None:
    async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET) as client:
        answer = await client.post("/webhooks/facebook", json={})
    assert_refused(answer, 401, "The signature in X-Hub-Signature-256 is missing.")


async def test_beside_a_good_signature_a_strange_authorization_harms_nobody(database: DatabaseAddresses, engine: AsyncEngine) -> None:
    """A proxy in front of us may speak to its own guard by that header."""
    tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Mộc An Nhiên"))).tenant.id
    raw = json.dumps(said_on("facebook", "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET) as client:
        told = [(b"authorization", b"Token cua-proxy"), (b"x-tenant-id", str(tenant_id).encode()), *signed_as("facebook", raw, SECRET)]
        answer = await client.post("/webhooks/facebook", content=raw, headers=told)
    assert (answer.status_code, answer.json()["created"]) == (200, 1), answer.text
