"""A day of mixed traffic through the real door, and what happens to leads afterwards: what a replay must find exactly as it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.enrichment.complete_lead import complete_lead
from lead_signals.enrichment.name_sender import name_sender
from lead_signals.graph_api.lead_form import LeadAnswer, LeadForm
from lead_signals.intent.pack import rule_pack
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import POLITE, UNCLEAR, URGENT, comment
from tests.intake.open_door import WEBHOOK, execute, fetch, open_door
from tests.intake.page_deliveries import SECRET, comment_change, delivery, message_to, page_entry, signed

CAKE = "Bánh khúc vũ trụ"  # no packaged rule speaks about it
CAKE_RULE = {
    "intent": "purchase_intent",
    "rules": [{"rule": "names the cake", "weight": 0.95, "any_of": ["bánh khúc vũ trụ"], "says": [CAKE], "not": ["bánh khúc"]}],
}
RULES = Path(rule_pack.__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Day:
    """The two tenants of the day and their Pages."""

    here: UUID
    there: UUID
    page_here: str
    page_there: str


@asynccontextmanager
async def replay_door(database: DatabaseAddresses) -> AsyncIterator[httpx.AsyncClient]:
    """The door of the day: Meta's secret is set, and somebody waits for follow-ups."""
    async with open_door(database.app, FACEBOOK_APP_SECRET=SECRET, WEBHOOK_URL="https://n8n.example/webhook") as client:
        yield client


async def two_tenants(engine: AsyncEngine) -> Day:
    """Two tenants, each with a Page."""
    made: list[tuple[UUID, str]] = []
    for name in ("Xưởng Gốm Thanh Hà", "Vật liệu Sông Đà"):
        tenant = (await onboard_tenant(engine, Onboarding(tenant_name=name))).tenant
        page = str(uuid4().int)[:15]
        async with tenant_session(engine, tenant.id) as session:
            await connect_channel(session, tenant.id, platform="facebook", external_id=page)
        made.append((tenant.id, page))
    (here, page_here), (there, page_there) = made
    return Day(here, there, page_here, page_there)


async def send(client: httpx.AsyncClient, body: bytes | dict[str, Any], tenant_id: UUID | None = None) -> dict[str, Any]:
    """Deliver it, signed by Meta; the door must take it."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await client.post(WEBHOOK, content=raw, headers=signed(raw) | ({"X-Tenant-ID": str(tenant_id)} if tenant_id else {}))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def mocks(*entries: dict[str, Any] | str) -> dict[str, Any]:
    """One delivery of these mock entries."""
    return {"object": "page", "entry": list(entries)}


def mock(comment_id: str | None, message: str, **said: Any) -> dict[str, Any]:
    """A mock entry; without an id nobody can recognise it again."""
    entry = {**comment(comment_id or "", message)["entry"][0], **said}
    if comment_id is None:
        del entry["comment_id"]
    return dict(entry)


def change(verb: str, comment_id: str, message: str | None = None, at: int = 1_763_800_100) -> dict[str, Any]:
    """A change of a comment in the Page's feed."""
    changed = comment_change(comment_id, message or "")
    changed["value"] |= {"verb": verb, "created_time": at}
    if message is None:
        del changed["value"]["message"]
    return changed


def feed(page: str, *changes: dict[str, Any]) -> bytes:
    """One delivery of these changes of one Page."""
    return delivery({"id": page, "time": 1_763_800_200, "changes": list(changes)})


def form(page: str, leadgen_id: str) -> bytes:
    """A lead form: ids only."""
    return feed(
        page, {"field": "leadgen", "value": {"leadgen_id": leadgen_id, "page_id": page, "form_id": "71", "created_time": 1_763_799_000}}
    )


async def a_mixed_day(client: httpx.AsyncClient, engine: AsyncEngine, database: DatabaseAddresses) -> Day:
    """Two tenants, their deliveries, and everything that can become of a lead without the machine reading it again."""
    day = await two_tenants(engine)
    await _said_plainly(client, day)
    await _changed_later(client, day)
    await _strange(client, day)
    await _learned_later(client, engine, day)
    await _decided_by_people(client, database, day)
    return day


async def _said_plainly(client: httpx.AsyncClient, day: Day) -> None:
    plain = mocks(mock("c1", URGENT), mock("c2", POLITE), mock("c3", UNCLEAR), mock("c4", CAKE), mock("c1", "lần hai, khác chữ"))
    assert (await send(client, plain, day.here))["created"] == 4
    assert (await send(client, plain, day.here))["created"] == 0, "the same delivery again"
    assert (await send(client, mocks(mock("c5", "Còn hàng không shop?"), mock("c2", "đến sau, khác chữ")), day.here))["created"] == 1
    nameless = mocks(mock(None, URGENT), mock(None, POLITE), mock(None, URGENT))
    assert (await send(client, nameless, day.here))["created"] == 3
    assert (await send(client, nameless, day.here))["created"] == 3, "nothing to recognise them by"
    assert (await send(client, plain, day.there))["created"] == 4, "the same ids with another tenant"
    both = delivery(page_entry(day.page_here, ("x1", URGENT), ("x2", CAKE)), page_entry(day.page_there, ("y1", POLITE)))
    assert (await send(client, both))["created"] == 3, "each keeps an excerpt"


async def _changed_later(client: httpx.AsyncClient, day: Day) -> None:
    page = day.page_here
    opened = page_entry(page, ("e1", POLITE), ("e2", URGENT), ("e3", UNCLEAR), ("e4", UNCLEAR), ("e5", POLITE))
    assert (await send(client, delivery(opened)))["created"] == 5
    await send(client, feed(page, change("edited", "e1", URGENT), change("remove", "e2"), change("hide", "e3")))
    await send(client, feed(page, change("edited", "e1", "Còn hàng không shop?", at=1_763_800_300), change("edited", "e1", URGENT)))
    await send(client, feed(page, change("edited", "late", CAKE), change("remove", "never")))
    assert (await send(client, delivery(page_entry(page, ("late", URGENT)))))["created"] == 1, "its edit was there before it"


async def _strange(client: httpx.AsyncClient, day: Day) -> None:
    like = {"id": day.page_here, "changes": [{"field": "feed", "value": {"item": "like", "verb": "add"}}]}
    strange = mocks({}, "strange", {"message": 7}, like, mock("n1", "Cho tôi\u0000 báo giá"), mock("n2", "giá " * 20_000))  # type: ignore[arg-type]
    assert (await send(client, strange, day.here))["created"] == 2
    nobodys = page_entry("999000111222333", ("z1", URGENT))
    assert (await send(client, delivery(page_entry(day.page_here, ("x9", URGENT)), nobodys)))["created"] == 1


async def _learned_later(client: httpx.AsyncClient, engine: AsyncEngine, day: Day) -> None:
    said = {"id": day.page_here, "messaging": [message_to(day.page_here, "m1", "Gọi mình 0912 345 678 nhé")]}
    assert (await send(client, delivery(said)))["created"] == 1
    for leadgen_id in ("f1", "f2", "f3"):
        assert (await send(client, form(day.page_here, leadgen_id)))["created"] == 1
    policy = FollowUpPolicy(True, None)
    answers = (LeadAnswer("full_name", ("Hồ Minh Tuệ",)), LeadAnswer("phone_number", ("0912345678",)))
    async with tenant_session(engine, day.here) as session:
        assert await name_sender(session, day.here, platform="facebook", author_id="6660001112223", name="Tạ Bích", name_before=None)
        for form_id, told in (("f1", answers), ("f2", ())):  # f2: nobody answered anything
            completed = LeadForm(form_id, "71", None, None, told)
            assert await complete_lead(session, day.here, platform="facebook", form=completed, policy=policy)


async def _decided_by_people(client: httpx.AsyncClient, database: DatabaseAddresses, day: Day) -> None:
    decided = {"c2": "dismissed", "x2": "won", "x1": "contacted", "e4": "confirmed", "e5": "qualified"}
    cases = " ".join(f"WHEN '{message}' THEN '{status}'" for message, status in decided.items())
    await execute(
        database.owner,
        f"UPDATE lead_signals SET status = CASE external_message_id {cases} END, assignee = 'Ngân'"
        f" WHERE tenant_id = '{day.here}' AND external_message_id IN ({', '.join(repr(message) for message in decided)})",
    )
    await send(client, feed(day.page_here, change("edited", "e4", POLITE), change("remove", "e5")))


def rules_with_the_cake(folder: Path) -> Path:
    """The packaged rules and one more, in a folder of their own."""
    copied = _copied(folder)
    (copied / "vietnamese" / "rules" / "the_cake.yaml").write_text(yaml.safe_dump(CAKE_RULE, allow_unicode=True), encoding="utf-8")
    return copied


def rules_without(folder: Path, rule: str, file: str) -> Path:
    """The packaged rules without one."""
    copied = _copied(folder)
    path = copied / "vietnamese" / "rules" / file
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    left = [one for one in content["rules"] if one["rule"] != rule]
    assert len(left) == len(content["rules"]) - 1
    path.write_text(yaml.safe_dump({**content, "rules": left}, allow_unicode=True), encoding="utf-8")
    return copied


def _copied(folder: Path) -> Path:
    for language in rule_pack.PACKAGED_LANGUAGES:
        copytree(RULES / language, folder / language)
    return folder


def languages_in(folder: Path) -> list[Path]:
    """The language folders of a copied pack, in their usual order."""
    return [folder / language for language in rule_pack.PACKAGED_LANGUAGES]


async def everything(owner_address: str, *, but: Sequence[str] = ()) -> dict[str, list[str]]:
    """All rows of all tables, past every wall."""
    tables = await fetch(owner_address, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return {
        table["name"]: [row[0] for row in await fetch(owner_address, f"SELECT to_jsonb(t)::text FROM {table['name']} t ORDER BY 1")]
        for table in tables
        if table["name"] not in but
    }
