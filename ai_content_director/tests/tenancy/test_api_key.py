"""A tenant's API key: shown once, kept as a hash, found behind its own tenant's wall, closed for ever by one act."""

import re
from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.api_key import MOST_LOOKED_UP, ApiKey, list_api_keys, make_api_key, revoke_api_key, tenant_of_api_key
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.intake.open_door import fetch


async def made(engine: AsyncEngine, tenant_id: UUID, name: str = "Cầu nối CRM") -> tuple[UUID, bytes]:
    """The id and the key of a fresh one."""
    async with tenant_session(engine, tenant_id) as session:
        key_id, key = await make_api_key(session, tenant_id, name)
    return key_id, key.encode()


async def revoked(engine: AsyncEngine, tenant_id: UUID, key_id: UUID) -> bool:
    async with tenant_session(engine, tenant_id) as session:
        return await revoke_api_key(session, tenant_id, key_id)


async def listed(engine: AsyncEngine, tenant_id: UUID) -> list[ApiKey]:
    async with tenant_session(engine, tenant_id) as session:
        return list(await list_api_keys(session, tenant_id))


async def neighbour(engine: AsyncEngine) -> UUID:
    return (await onboard_tenant(engine, Onboarding(tenant_name="Thép Bắc Hà"))).tenant.id


async def test_it_opens_its_tenant_and_is_never_the_same_twice(engine: AsyncEngine, tenant_id: UUID) -> None:
    keys = [(await made(engine, tenant_id))[1] for _ in range(20)]
    assert len(set(keys)) == len({key[-43:] for key in keys}) == 20
    for key in keys:
        assert re.fullmatch(rb"lsk_%s_[A-Za-z0-9_-]{43}" % tenant_id.hex.encode(), key)
        assert await tenant_of_api_key(engine, [key]) == tenant_id


async def test_what_is_kept_opens_nothing(engine: AsyncEngine, database: DatabaseAddresses, tenant_id: UUID) -> None:
    key_id, key = await made(engine, tenant_id)
    (row,) = await fetch(database.owner, "SELECT k.*, to_jsonb(k)::text AS everything FROM tenant_api_keys k WHERE id = $1", key_id)
    assert row["key_sha256"] == sha256(key).digest()
    assert key[-43:].decode() not in row["everything"]
    for kept in (row["key_sha256"], row["key_sha256"].hex().encode(), b"lsk_" + tenant_id.hex.encode() + b"_" + row["key_sha256"]):
        assert await tenant_of_api_key(engine, [kept]) is None


async def test_the_list_shows_every_key_newest_first_and_none_itself(engine: AsyncEngine, tenant_id: UUID) -> None:
    assert await listed(engine, tenant_id) == []
    async with tenant_session(engine, tenant_id) as session:  # in one transaction, at one moment
        ids = [(await make_api_key(session, tenant_id, name))[0] for name in ("một", "hai", "ba")]
    _, key = await made(engine, tenant_id, "bốn")
    assert await revoked(engine, tenant_id, ids[1])
    shown = await listed(engine, tenant_id)
    assert [(one.name, one.revoked_at is not None) for one in shown] == [("bốn", False), ("ba", False), ("hai", True), ("một", False)]
    assert [one.id for one in shown[1:]] == ids[::-1]
    assert key[-43:].decode() not in repr(shown)


async def test_a_revoked_key_is_closed_for_ever_and_the_others_are_not(engine: AsyncEngine, tenant_id: UUID) -> None:
    (closed_id, closed), (_, other) = await made(engine, tenant_id), await made(engine, tenant_id)
    assert [await revoked(engine, tenant_id, closed_id) for _ in range(2)] == [True, False]
    assert await tenant_of_api_key(engine, [closed]) is None
    assert await tenant_of_api_key(engine, [other]) == tenant_id
    first = (await listed(engine, tenant_id))[1].revoked_at
    assert first is not None
    assert not await revoked(engine, tenant_id, closed_id)
    assert (await listed(engine, tenant_id))[1].revoked_at == first, "the moment of the first time stands"


async def test_nobody_closes_or_sees_the_key_of_another_tenant(engine: AsyncEngine, tenant_id: UUID) -> None:
    there = await neighbour(engine)
    key_id, key = await made(engine, there)
    async with tenant_session(engine, tenant_id) as session:
        assert not await revoke_api_key(session, tenant_id, key_id)
        assert not await revoke_api_key(session, there, key_id), "the wall stands, whatever id is asked for"
        assert (list(await list_api_keys(session, tenant_id)), list(await list_api_keys(session, there))) == ([], [])
    assert not await revoked(engine, there, new_id())
    assert await tenant_of_api_key(engine, [key]) == there


async def test_a_key_behind_another_tenants_id_opens_neither(engine: AsyncEngine, tenant_id: UUID) -> None:
    there = await neighbour(engine)
    _, key = await made(engine, tenant_id)
    await made(engine, there)
    assert await tenant_of_api_key(engine, [key.replace(tenant_id.hex.encode(), there.hex.encode())]) is None
    assert await tenant_of_api_key(engine, [key.replace(tenant_id.hex.encode(), new_id().hex.encode())]) is None


@pytest.mark.parametrize("around", [b"%s\n", b" %s", b"%s ", b"%s\x00", b"%sx", b"x%s", b"%s,%s", b"Bearer %s", b'"%s"'])
async def test_more_or_less_than_the_key_is_none(around: bytes, engine: AsyncEngine, tenant_id: UUID) -> None:
    _, key = await made(engine, tenant_id)
    shown = around.replace(b"%s", key)
    assert await tenant_of_api_key(engine, [shown, key[:-1], key.upper(), key[4:], key.replace(b"_", b"-", 1), b"", b"\xff" * 80]) is None


async def test_one_of_the_few_that_are_shown_is_enough(engine: AsyncEngine, tenant_id: UUID) -> None:
    _, key = await made(engine, tenant_id)
    made_up = [key[:-43] + bytes([letter]) * 43 for letter in b"abcdefgh"]
    assert await tenant_of_api_key(engine, []) is None
    assert await tenant_of_api_key(engine, [b"khoa-van-hanh"] * 100 + [made_up[0], key]) == tenant_id
    assert await tenant_of_api_key(engine, [*made_up[: MOST_LOOKED_UP - 1], key]) == tenant_id
    assert await tenant_of_api_key(engine, [*made_up[:MOST_LOOKED_UP], key]) is None, "a stranger's headers are no list to work through"
