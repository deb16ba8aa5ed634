"""A tenant's own rules at the door: they judge what comes after they were turned on, for this tenant alone, in every process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.cli import cli
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import judge_by_own_rules as judging
from lead_signals.intake.admit_kept import admit_kept
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.judge_again import judge_again
from lead_signals.intake.route_delivery import route_delivery
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.leads.form_answers import form_answers
from lead_signals.leads.form_verdict import form_verdict
from lead_signals.rule_packs import active_packs
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.rule_packs.compile_pack import compile_pack
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import Day, change, feed, mock, mocks, replay_door, send, two_tenants
from tests.intake.books import assert_books_balance
from tests.intake.captured_logs import captured_logs
from tests.intake.gathering import POLICY, Scene, admission_of, poisoned, said
from tests.intake.open_door import fetch, fetch_now, metric
from tests.intake.page_deliveries import delivery, page_entry
from tests.intake.replays import plan, replayed
from tests.product import Api, product_on
from tests.rule_packs.own_rules import (
    OTHER_PRODUCT,
    PRODUCT,
    force_unreadable,
    put_in_force,
    rules_naming,
    turn,
)
from tests.waiting import wait_until, wait_until_async

RULES = rules_naming(PRODUCT)
RUNNING_AWAY = "rules:\n" + "".join(
    f"- {{rule: r{number}, intent: spam, weight: 0.99, any_of: [gia ~8 gia ~8 gia], says: [gia gia gia], not: [y]}}\n"
    for number in range(20)
)
BUYS = ("purchase_intent", "high", True)


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its doors look at the turns of all tenants in it."""
    return make_database()


@pytest.fixture
async def client(database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A door that looks at the turns all the time."""
    monkeypatch.setattr(active_packs, "LOOK_EVERY_SECONDS", 0.02)
    async with replay_door(database) as client:
        yield client


@pytest.fixture
async def day(engine: AsyncEngine) -> Day:
    return await two_tenants(engine)


async def judged(database: DatabaseAddresses, tenant_id: UUID, message_id: str) -> tuple[str, str, bool]:
    """Intent, priority, and whether the tenant's own rules are named as those that judged."""
    (row,) = await fetch(
        database.owner,
        "SELECT intent_label, priority, meta->>'rule_pack' AS rule_pack FROM lead_signals"
        " WHERE tenant_id = $1 AND external_message_id = $2",
        tenant_id,
        message_id,
    )
    return row["intent_label"], row["priority"], "+v" in row["rule_pack"]


async def buys(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, text: str = PRODUCT) -> bool:
    """Somebody writes this; whether it became a purchase."""
    message_id = uuid4().hex
    await send(client, mocks(mock(message_id, text)), tenant_id)
    return (await judged(database, tenant_id, message_id))[0] == "purchase_intent"


async def noticed(client: httpx.AsyncClient, database: DatabaseAddresses, tenant_id: UUID, text: str = PRODUCT, *, buying: bool) -> None:
    """Returns when the door judges this text so."""

    async def is_noticed() -> bool:
        return await buys(client, database, tenant_id, text) == buying

    await wait_until_async(is_noticed, "the door has noticed the turn")


async def test_a_product_word_makes_a_purchase_after_the_turn_and_not_before_and_not_elsewhere(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    await send(client, mocks(mock("before", PRODUCT)), day.here)
    version = await put_in_force(engine, day.here, RULES)
    await noticed(client, database, day.here, buying=True)
    await send(client, mocks(mock("after", PRODUCT)), day.here)
    await send(client, mocks(mock("after", PRODUCT)), day.there)
    assert (await judged(database, day.here, "before"))[0] != "purchase_intent", "what is there stays as it is"
    assert await judged(database, day.here, "after") == BUYS
    elsewhere = await judged(database, day.there, "after")
    assert (elsewhere[0] != "purchase_intent", elsewhere[2]) == (True, False)
    await turn(engine, day.here, None)
    await noticed(client, database, day.here, buying=False)
    await turn(engine, day.here, version)
    await noticed(client, database, day.here, buying=True)
    await assert_books_balance(database.owner, day.here)


async def test_the_follow_up_is_promised_for_what_the_own_rules_call_urgent(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    await put_in_force(engine, day.here, RULES)
    await noticed(client, database, day.here, buying=True)
    await send(client, mocks(mock("c1", PRODUCT), mock("c2", POLITE)), day.here)
    promised = await fetch(
        database.owner,
        "SELECT l.external_message_id AS message FROM follow_ups f JOIN lead_signals l ON l.tenant_id = f.tenant_id AND l.id = f.lead_id"
        " WHERE f.tenant_id = $1 AND l.external_message_id IN ('c1', 'c2')",
        day.here,
    )
    assert [row["message"] for row in promised] == ["c1"]


async def test_an_edit_is_judged_by_the_own_rules_too(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    await send(client, feed(day.page_here, *page_entry(day.page_here, ("e1", POLITE))["changes"]))
    await put_in_force(engine, day.here, RULES)
    await noticed(client, database, day.here, buying=True)
    await send(client, feed(day.page_here, change("edited", "e1", PRODUCT)))
    assert await judged(database, day.here, "e1") == BUYS


async def test_a_delivery_for_two_tenants_is_judged_by_the_rules_of_each(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    await put_in_force(engine, day.here, RULES)
    await put_in_force(engine, day.there, rules_naming(OTHER_PRODUCT))
    await noticed(client, database, day.here, buying=True)
    await noticed(client, database, day.there, OTHER_PRODUCT, buying=True)
    pages = [
        page_entry(page, (f"{name}1", PRODUCT), (f"{name}2", OTHER_PRODUCT)) for name, page in (("h", day.page_here), ("t", day.page_there))
    ]
    assert (await send(client, delivery(*pages)))["created"] == 4
    intents = [(await judged(database, tenant_id, message))[0] for tenant_id, message in ((day.here, "h1"), (day.there, "t2"))]
    assert intents == ["purchase_intent"] * 2
    others = [(await judged(database, tenant_id, message))[0] for tenant_id, message in ((day.here, "h2"), (day.there, "t1"))]
    assert "purchase_intent" not in others


async def test_texts_that_are_long_together_are_judged_beside_the_loop(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    works: list[Any] = []
    off_the_loop = judging.off_the_loop

    async def remember(work: Any, *arguments: Any) -> Any:
        works.append(work)
        return await off_the_loop(work, *arguments)

    await put_in_force(engine, day.here, RULES)
    await noticed(client, database, day.here, buying=True)
    monkeypatch.setattr(judging, "off_the_loop", remember)
    short = mocks(*(mock(f"s{number}", f"{PRODUCT} {'x' * 300}") for number in range(6)))
    assert (await send(client, short, day.here))["created"] == 6
    assert works == []
    long = mocks(*(mock(f"l{number}", f"{PRODUCT} {'x' * 300}") for number in range(7)))
    assert (await send(client, long, day.here))["created"] == 7
    assert works == [judging.judge_again]
    assert (await judged(database, day.here, "s5"), await judged(database, day.here, "l6")) == (BUYS, BUYS)


async def test_kept_deliveries_are_judged_by_the_rules_of_whoever_connects(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    page = str(uuid4().int)[:15]
    await send(client, delivery(page_entry(page, ("k1", PRODUCT))))
    await put_in_force(engine, day.here, RULES)
    async with tenant_session(engine, day.here) as session:
        await connect_channel(session, day.here, platform="facebook", external_id=page)
    commits = GroupCommit(engine, POLICY, packs=ActivePacks(engine))
    assert await admit_kept(engine, commits, "facebook", page) == 1
    assert await judged(database, day.here, "k1") == BUYS


async def test_the_first_delivery_of_a_process_is_judged_by_them_even_if_nobody_looked_before(
    engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    await put_in_force(engine, day.here, RULES)
    commits = GroupCommit(engine, POLICY, packs=ActivePacks(engine))
    assert admission_of(await commits.admit(said(day.here, "first", message=PRODUCT))).created == 1
    assert await judged(database, day.here, "first") == BUYS


async def test_what_is_written_one_by_one_is_judged_by_them(scene: Scene, database: DatabaseAddresses, day: Day) -> None:
    await put_in_force(scene.engine, day.here, RULES)
    commits = GroupCommit(scene.engine, POLICY, packs=ActivePacks(scene.engine))
    admission = admission_of(await commits.admit(poisoned(said(day.here, "p0", "p1", message=PRODUCT))))
    assert (admission.created, admission.quarantined.total()) == (1, 1)
    assert await judged(database, day.here, "p1") == BUYS


async def test_rules_that_cannot_be_used_stop_no_delivery_and_are_shown(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day
) -> None:
    assert (await client.get("/ready")).json()["rule_packs"]["ok"]
    await force_unreadable(database.owner, day.here)
    await put_in_force(engine, day.there, RULES)
    await noticed(client, database, day.there, buying=True)
    await send(client, mocks(mock("c1", URGENT)), day.here)
    assert await judged(database, day.here, "c1") == ("inquiry_price", "high", False)
    ready = await client.get("/ready")
    told = ready.json()["rule_packs"]
    assert told == {
        "ok": False,
        "sentence": "the own rules of 1 tenant cannot be used, and the packaged ones judge meanwhile: see doctor",
    }
    assert str(day.here) not in ready.text
    assert await metric(client, "lead_signals_ready", part="rule_packs") == 0
    doctor = await asyncio.to_thread(CliRunner(env={"DATABASE_URL": database.app}).invoke, cli, ["doctor"])
    (line,) = [line for line in doctor.stdout.splitlines() if str(day.here) in line]
    assert line.startswith(f"  ✗ the own rules of tenant {day.here} (version 99) cannot be used, the packaged ones judge meanwhile: v99:")
    assert doctor.exit_code == 1
    await turn(engine, day.here, None)

    async def is_well() -> bool:
        return bool((await client.get("/ready")).json()["rule_packs"]["ok"])

    await wait_until_async(is_well, "the turn away from them was noticed")


async def test_rules_that_crash_while_judging_leave_the_packaged_verdict(
    engine: AsyncEngine, database: DatabaseAddresses, day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RecursionError(PRODUCT)

    await put_in_force(engine, day.here, RULES)
    monkeypatch.setattr(judging, "judge_again", explode)
    commits = GroupCommit(engine, POLICY, packs=ActivePacks(engine))
    with captured_logs() as logs:
        assert admission_of(await commits.admit(said(day.here, "c1"))).created == 1
    assert [line["error"] for line in logs.events("rule_pack_crashed")] == ["RecursionError"]
    assert PRODUCT not in logs.text
    assert await judged(database, day.here, "c1") == ("inquiry_price", "high", False)


async def test_rules_that_run_away_leave_the_packaged_rules_and_are_told_once(engine: AsyncEngine, day: Day) -> None:
    pack = compile_pack(RUNNING_AWAY, "v1", is_stored=True)
    packs = ActivePacks(engine)
    routed = route_delivery(said(day.here, "r1", "r2", message=f"{URGENT}. {'gia ' * 100}"), {})
    with pytest.MonkeyPatch.context() as patch, captured_logs() as logs:
        patch.setattr(packs, "of", lambda _: pack)
        for _ in range(2):
            after = await judging.judge_by_own_rules(routed, packs)
    (told,) = logs.events("rule_pack_ran_away")
    assert (told["level"], told["tenant_id"], told["rule_pack"]) == ("warning", str(day.here), pack.name)
    verdicts = [(lead.verdict.evidence, lead.verdict.intent_label) for part in after.parts for lead in part.prepared.leads]
    assert verdicts == [(lead.verdict.evidence, lead.verdict.intent_label) for part in routed.parts for lead in part.prepared.leads]
    assert len(verdicts) == 2


async def test_without_own_rules_a_delivery_is_the_very_same(engine: AsyncEngine, day: Day) -> None:
    packs = ActivePacks(engine)
    await packs.loaded()
    routed = route_delivery(said(day.here), {})
    assert await judging.judge_by_own_rules(routed, packs) is routed
    assert await judging.judge_by_own_rules(routed, None) is routed


def test_the_verdict_of_a_lead_form_stays(own_pack: RulePack) -> None:
    prepared = said(uuid4(), "f1", "c1", message=PRODUCT).prepared
    form, comment = prepared.leads
    verdict = form_verdict(form_answers([{"name": "phone_number", "values": ["0912345678"]}]))
    again = judge_again(replace(prepared, leads=(replace(form, verdict=verdict), comment)), own_pack)
    assert again.leads[0].verdict == verdict
    assert (again.leads[1].verdict.intent_label, again.items_received) == ("purchase_intent", 2)


@pytest.fixture
def own_pack() -> RulePack:
    return compile_pack(RULES, "v1")


async def test_a_replay_judges_as_the_door_does_and_by_other_rules_when_told(
    client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses, day: Day, own_pack: RulePack
) -> None:
    for tenant_id in (day.here, day.there):
        await send(client, mocks(mock("c1", PRODUCT), mock("c2", URGENT)), tenant_id)
    await put_in_force(engine, day.here, RULES)
    assert (await replayed(engine, plan(day.here))).moves["intent"].total() == 1
    assert (await replayed(engine, plan(day.there))).differences == 0
    assert (await replayed(engine, plan(day.there, own_pack))).moves["intent"].total() == 1, "another tenant by these, when told"
    await replayed(engine, plan(day.here, write=True))
    assert await judged(database, day.here, "c1") == BUYS
    assert (await replayed(engine, plan(day.here))).differences == 0
    await turn(engine, day.here, None)
    assert (await replayed(engine, plan(day.here))).moves["intent"].total() == 1, "and back"


def test_two_processes_notice_a_turn_of_the_command_line_without_a_restart(database: DatabaseAddresses, tmp_path: Path) -> None:
    own = tmp_path / "our_rules.yaml"
    own.write_text(RULES, encoding="utf-8")

    def rules(*arguments: object) -> None:
        told = CliRunner(env={"DATABASE_URL": database.app}).invoke(cli, ["rules", *map(str, arguments)])
        assert told.exit_code == 0, told.output

    with product_on(database, tmp_path) as product:
        doors = [product.start_api(), product.start_api()]
        onboarded = httpx.post(f"{doors[0].base_url}/onboarding", json={"tenant_name": "Xưởng Cơ Khí Ba Sao"}, trust_env=False)
        tenant_id = onboarded.json()["tenant"]["id"]

        def is_bought_at(door: Api) -> bool:
            message_id = uuid4().hex
            body, headers = mocks(mock(message_id, PRODUCT)), {"X-Tenant-ID": tenant_id}
            answer = httpx.post(f"{door.base_url}/webhooks/facebook", json=body, headers=headers, trust_env=False)
            assert answer.json()["created"] == 1, answer.text
            statement = "SELECT intent_label FROM lead_signals WHERE tenant_id = $1 AND external_message_id = $2"
            return bool(fetch_now(database.owner, statement, UUID(tenant_id), message_id)[0]["intent_label"] == "purchase_intent")

        assert [is_bought_at(door) for door in doors] == [False, False]
        rules("add", "--tenant", tenant_id, own)
        rules("activate", "--tenant", tenant_id, "--version", 1)
        for door in doors:
            wait_until(lambda door=door: is_bought_at(door), f"{door.name} has noticed the turn")  # type: ignore[misc]
        rules("back", "--tenant", tenant_id)
        for door in doors:
            wait_until(lambda door=door: not is_bought_at(door), f"{door.name} has noticed the way back")  # type: ignore[misc]
