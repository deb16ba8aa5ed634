"""Which secret proves a delivery: one or two at a time, each platform's own or the Page app's; and what happens where there is none."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import said_on
from tests.intake.open_door import assert_refused, fetch, open_door, rows_by_table
from tests.signatures import PLATFORMS, VARIABLES, signed_as

NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"
PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": NOBODY_LISTENS,
    "FACEBOOK_APP_SECRET": "bi-mat-cua-trang",
    "FACEBOOK_VERIFY_TOKEN": "mat-ma",
    "OPERATOR_API_KEY": "khoa-van-hanh-4711",
}
each_platform = pytest.mark.parametrize("platform", PLATFORMS)


async def status_of(client: httpx.AsyncClient, platform: str, secret: str | None, tenant_id: UUID) -> int:
    """What a fresh delivery is answered that is signed with this secret, or not at all."""
    raw = json.dumps(said_on(platform, "710020003000", uuid4().hex, "Cho tôi báo giá")).encode()
    headers = [] if secret is None else signed_as(platform, raw, secret)
    answer = await client.post(f"/webhooks/{platform}", content=raw, headers=[*headers, (b"x-tenant-id", str(tenant_id).encode())])
    return answer.status_code


@each_platform
async def test_two_live_secrets(platform: str, database: DatabaseAddresses, tenant_id: UUID) -> None:
    async with open_door(database.app, **{VARIABLES[platform]: " bi-mat-cu , bi-mat-moi "}) as client:
        for secret, status in (("bi-mat-cu", 200), ("bi-mat-moi", 200), ("bi-mat-cu , bi-mat-moi", 401), ("", 401), (None, 401)):
            assert await status_of(client, platform, secret, tenant_id) == status, secret


@each_platform
async def test_the_secret_may_come_from_a_file(platform: str, database: DatabaseAddresses, tenant_id: UUID, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("bi-mat-trong-tep\n", encoding="utf-8")
    async with open_door(database.app, **{f"{VARIABLES[platform]}_FILE": str(tmp_path / "secret")}) as client:
        assert await status_of(client, platform, None, tenant_id) == 401
        assert await status_of(client, platform, "bi-mat-trong-tep", tenant_id) == 200


@pytest.mark.parametrize("platform", ["instagram", "whatsapp"])
async def test_the_pages_secret_proves_another_platform_of_meta_until_that_has_its_own(
    platform: str, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    async with open_door(database.app, FACEBOOK_APP_SECRET="cua-trang") as client:
        assert [await status_of(client, platform, secret, tenant_id) for secret in ("cua-trang", "khac", None)] == [200, 401, 401]
    async with open_door(database.app, FACEBOOK_APP_SECRET="cua-trang", **{VARIABLES[platform]: "cua-rieng-no"}) as client:
        assert [await status_of(client, platform, secret, tenant_id) for secret in ("cua-rieng-no", "cua-trang", None)] == [200, 401, 401]
        assert [await status_of(client, "facebook", secret, tenant_id) for secret in ("cua-rieng-no", "cua-trang")] == [401, 200]


@pytest.mark.parametrize("platform", ["zalo", "tiktok"])
async def test_a_secret_of_meta_proves_no_other_platform_and_closes_none(
    platform: str, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    async with open_door(database.app, FACEBOOK_APP_SECRET="cua-trang", **{VARIABLES[platform]: "cua-rieng-no"}) as client:
        assert [await status_of(client, platform, secret, tenant_id) for secret in ("cua-rieng-no", "cua-trang", None)] == [200, 401, 401]
    async with open_door(database.app, FACEBOOK_APP_SECRET="cua-trang") as client:
        assert await status_of(client, platform, None, tenant_id) == 200, "without a secret of its own it is as open as local is"


@each_platform
async def test_without_a_secret_a_signature_is_neither_asked_for_nor_believed(
    platform: str, database: DatabaseAddresses, engine: AsyncEngine, tenant_id: UUID
) -> None:
    async with open_door(database.app) as client:
        before = await rows_by_table(database.owner)
        raw = json.dumps(said_on(platform, "719999999999", "m_1", "Cho tôi báo giá")).encode()
        for headers in ([], signed_as(platform, raw), signed_as(platform, raw, "")):
            assert_refused(await client.post(f"/webhooks/{platform}", content=raw, headers=headers), 400, "No tenant", "not connected")
        assert await rows_by_table(database.owner) == before
        channel = str(uuid4().int)[:15]
        async with tenant_session(engine, tenant_id) as session:
            await connect_channel(session, tenant_id, platform=platform, external_id=channel)
        for headers in ([], signed_as(platform, raw)):
            said = said_on(platform, channel, uuid4().hex, "Cho tôi báo giá")
            assert (await client.post(f"/webhooks/{platform}", json=said, headers=headers)).json()["created"] == 1
    told = await fetch(database.owner, "SELECT signed, tenant_id_source FROM receipts WHERE tenant_id = $1", tenant_id)
    assert [tuple(row) for row in told] == [(False, "channel")] * 2


@pytest.mark.parametrize("platform", ["zalo", "tiktok"])
async def test_in_production_a_platform_without_a_secret_is_closed(platform: str) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        taken += 1
        yield b"{}"

    async with open_door(NOBODY_LISTENS, **PRODUCTION) as client:  # nobody is even asked whether there is a database
        raw = json.dumps(said_on(platform, "710020003000", "m_1", "Cho tôi báo giá")).encode()
        for headers in ([], signed_as(platform, raw), signed_as(platform, raw, ""), signed_as("facebook", raw, "bi-mat-cua-trang")):
            answer = await client.post(f"/webhooks/{platform}", content=body(), headers=headers)
            assert_refused(answer, 401, f"No secret for {platform}", "Authorization: Bearer")
        assert taken == 0
        key = {"authorization": f"Bearer {PRODUCTION['OPERATOR_API_KEY']}"}
        shown = await client.get("/metrics", headers=key)
        assert f'lead_signals_deliveries_total{{answer="closed",platform="{platform}"}}' in shown.text


@pytest.mark.parametrize("platform", ["facebook", "instagram", "whatsapp"])
async def test_in_production_the_pages_secret_is_asked_for_everywhere_at_meta(platform: str) -> None:
    async with open_door(NOBODY_LISTENS, **PRODUCTION) as client:
        answer = await client.post(f"/webhooks/{platform}", json=said_on(platform, "710020003000", "m_1", "Cho tôi báo giá"))
        assert_refused(answer, 401, "X-Hub-Signature-256", "missing")
