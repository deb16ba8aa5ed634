"""The packs that a process holds: noticed, swapped, dropped; and what cannot be used stops nobody."""

import asyncio
import gc
import threading
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.intent.classify import classify
from lead_signals.intent.own_rules import tenant_rules
from lead_signals.intent.pack.rule_pack import RulePack, packaged_rule_pack
from lead_signals.rule_packs import active_packs, pack_in_force
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.rule_packs.compile_pack import compile_pack
from tests.intake.captured_logs import captured_logs
from tests.intake.gathering import new_tenant
from tests.rule_packs.own_rules import OTHER_PRODUCT, PRODUCT, force_unreadable, put_in_force, rules_naming, store, turn
from tests.waiting import wait_until_async


@pytest.fixture
def packs(engine: AsyncEngine) -> ActivePacks:
    return ActivePacks(engine)


def wants_to_buy(packs: ActivePacks, tenant_id: UUID, text: str) -> bool:
    return classify(text, packs.of(tenant_id)).intent_label == "purchase_intent"


def packs_in_memory(name: str) -> int:
    gc.collect()
    return sum(isinstance(one, RulePack) and one.name == name for one in gc.get_objects())


async def test_a_turn_is_seen_at_the_next_look_and_belongs_to_its_tenant(engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID) -> None:
    other = await new_tenant(engine)
    await packs.refresh()
    assert packs.of(tenant_id) is None
    await put_in_force(engine, tenant_id, rules_naming(PRODUCT))
    assert packs.of(tenant_id) is None, "nobody looked yet"
    await packs.refresh()
    own = packs.of(tenant_id)
    assert own is not None
    assert own.name.startswith(f"{packaged_rule_pack().name}+v1-")
    assert (wants_to_buy(packs, tenant_id, PRODUCT), wants_to_buy(packs, other, PRODUCT), packs.of(other)) == (True, False, None)


async def test_what_is_no_longer_in_force_is_swapped_and_dropped(engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID) -> None:
    await put_in_force(engine, tenant_id, rules_naming(PRODUCT, rule="names it here alone"))
    await packs.refresh()
    first = packs.of(tenant_id)
    assert first is not None
    await packs.refresh()
    assert packs.of(tenant_id) is first, "a look without a turn compiles nothing"
    name = first.name
    assert packs_in_memory(name) == 1
    del first
    await put_in_force(engine, tenant_id, rules_naming(OTHER_PRODUCT))
    await packs.refresh()
    assert (wants_to_buy(packs, tenant_id, PRODUCT), wants_to_buy(packs, tenant_id, OTHER_PRODUCT)) == (False, True)
    assert packs_in_memory(name) == 0, "nobody holds the pack of before"
    await turn(engine, tenant_id, None)
    await packs.refresh()
    assert packs.of(tenant_id) is None


async def test_rules_that_cannot_be_used_leave_the_packaged_ones_and_are_told_once(
    engine: AsyncEngine, packs: ActivePacks, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    neighbour = await new_tenant(engine)
    await packs.refresh()
    await force_unreadable(database.owner, tenant_id)
    await put_in_force(engine, neighbour, rules_naming(PRODUCT))
    with captured_logs() as logs:
        for _ in range(3):
            await packs.refresh()
    (told,) = [line for line in logs.events("rule_pack_unusable") if line["tenant_id"] == str(tenant_id)]
    assert (told["level"], told["version"]) == ("error", 99)
    assert "an_intent_of_tomorrow" in told["problems"][0]
    assert packs.of(tenant_id) is None
    assert packs.unusable[tenant_id].version == 99
    assert wants_to_buy(packs, neighbour, PRODUCT)
    await turn(engine, tenant_id, await store(engine, tenant_id, rules_naming(PRODUCT)))
    await packs.refresh()
    assert wants_to_buy(packs, tenant_id, PRODUCT)
    assert tenant_id not in packs.unusable


async def test_a_defect_that_only_these_rules_meet_is_the_same(
    engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_in_force(engine, tenant_id, rules_naming(PRODUCT))

    def explode(content: str, name: str, *, is_stored: bool) -> None:
        raise RecursionError(content)

    monkeypatch.setattr(pack_in_force, "compile_pack", explode)
    with captured_logs() as logs:
        await packs.refresh()
    assert packs.unusable[tenant_id].problems == ("v1: RecursionError",)
    assert PRODUCT not in logs.text


async def test_a_start_waits_for_no_pack_that_takes_long_and_the_next_look_has_it(
    engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, compiled = threading.Event(), compile_pack

    def slowly(content: str, name: str, *, is_stored: bool) -> RulePack:
        assert go_on.wait(60)
        return compiled(content, name, is_stored=is_stored)

    await put_in_force(engine, tenant_id, rules_naming(PRODUCT))
    monkeypatch.setattr(active_packs, "COMPILING_AT_START_SECONDS", 0.01)
    monkeypatch.setattr(pack_in_force, "compile_pack", slowly)
    try:
        async with asyncio.timeout(30):
            await packs.loaded()
        assert (packs.is_loaded, packs.of(tenant_id), packs.unusable) == (True, None, {})
    finally:
        go_on.set()
    await packs.refresh()
    assert wants_to_buy(packs, tenant_id, PRODUCT)


async def test_stored_rules_are_not_proven_again(
    engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("proven again")

    await put_in_force(engine, tenant_id, rules_naming(PRODUCT))
    monkeypatch.setattr(tenant_rules, "prove_sentences", refuse)
    await packs.refresh()
    assert wants_to_buy(packs, tenant_id, PRODUCT)


async def test_a_database_that_is_away_is_an_error_first_and_later_keeps_what_was_known(
    engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = app_engine("postgresql://nobody@127.0.0.1:1/x", application_name="tests", pool_size=1)
    never = ActivePacks(away)
    with pytest.raises(OSError, match="Connect call failed"):
        await never.loaded()
    assert not never.is_loaded
    await put_in_force(engine, tenant_id, rules_naming(PRODUCT))
    await packs.loaded()
    monkeypatch.setattr(packs, "_engine", away)
    await packs.loaded()
    with pytest.raises(OSError, match="Connect call failed"):
        await packs.refresh()
    assert wants_to_buy(packs, tenant_id, PRODUCT)
    await away.dispose()


async def test_it_looks_by_itself_outlasts_an_outage_and_ends_when_told(
    engine: AsyncEngine, packs: ActivePacks, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_packs, "LOOK_EVERY_SECONDS", 0.01)
    stop, away = asyncio.Event(), app_engine("postgresql://nobody@127.0.0.1:1/x", application_name="tests", pool_size=1)
    monkeypatch.setattr(packs, "_engine", away)
    with captured_logs() as logs:
        keeping = asyncio.create_task(packs.keep_fresh(stop))

        async def is_told() -> bool:
            return bool(logs.events("rule_packs_not_looked_at"))

        await wait_until_async(is_told, "the outage is told")
        monkeypatch.setattr(packs, "_engine", engine)
        await put_in_force(engine, tenant_id, rules_naming(PRODUCT))

        async def judges() -> bool:
            return packs.of(tenant_id) is not None

        await wait_until_async(judges, "the turn was noticed")
        assert len(logs.events("rule_packs_not_looked_at")) == 1, "a row of failures is told once"
    stop.set()
    async with asyncio.timeout(10):
        await keeping
    await away.dispose()
