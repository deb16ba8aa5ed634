"""`/api/intent/explain`: by whose rules, in which shape, within which limits, behind which key; and no text in any log."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.error_answers import answer_errors
from lead_signals.intent.classify import LONGEST_READ_CHARACTERS, classify
from lead_signals.intent.explaining.explain import explain
from lead_signals.intent.explaining.explanation_json import explanation_json
from lead_signals.intent.pack.rule_pack import RulePack, load_rule_pack
from lead_signals.log_context import get_logger
from lead_signals.rule_packs.explain_routes import explain_routes
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import assert_refused, open_door, rows_by_table
from tests.intake.strange_bodies import STRANGE_JSON, STRANGE_TEXTS

EXPLAIN = "/api/intent/explain"
KEY = "khoa-cua-nguoi-van-hanh-0123456789"
TEXT = "Chưa cần báo giá, gọi lại cho mình số 0912 345 678 nha <b>"
RULE = "{rule: wants a lathe, vi: muốn mua máy tiện, weight: 0.97, any_of: [zzlathe], says: [zzlathe], not: [x]}"


@pytest.fixture(scope="module")
def lathe_pack(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    folder: Path = tmp_path_factory.mktemp("packs") / "lathes"
    (folder / "rules").mkdir(parents=True)
    (folder / "language.yaml").write_text("particles: []\n", encoding="utf-8")
    (folder / "rules" / "purchase.yaml").write_text(f"intent: purchase_intent\nrules:\n  - {RULE}\n", encoding="utf-8")
    return load_rule_pack([folder])


class Packs:
    """One tenant has rules of its own."""

    def __init__(self, tenant_id: UUID, pack: RulePack) -> None:
        self._tenant_id, self._pack = tenant_id, pack

    def of(self, tenant_id: UUID) -> RulePack | None:
        return self._pack if tenant_id == self._tenant_id else None


@pytest.fixture
async def client(engine: AsyncEngine, tenant_id: UUID, lathe_pack: RulePack) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.include_router(explain_routes(engine, Packs(tenant_id, lathe_pack)))
    answer_errors(app, {})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test") as client:
        yield client


async def test_get_and_post_tell_what_the_command_line_tells(client: httpx.AsyncClient) -> None:
    expected = json.loads(json.dumps(explanation_json(explain(TEXT))))
    for answer in (await client.get(EXPLAIN, params={"text": TEXT}), await client.post(EXPLAIN, json={"text": TEXT, "tenant_id": None})):
        assert answer.status_code == 200, answer.text
        assert answer.json() == expected
    assert expected["phones"] == ["+84912345678"]
    assert expected["silenced"]


async def test_words_are_marked_by_places_and_never_by_markup(client: httpx.AsyncClient) -> None:
    told = (await client.post(EXPLAIN, json={"text": TEXT})).json()
    assert told["text"] == TEXT
    assert told["marks"]
    for one in (*told["rules"], *told["silenced"], *told["statistics"]["moved_by"]):
        assert TEXT[one["start"] : one["end"]] == one["matched"]


async def test_each_tenant_is_explained_by_its_own_rules(
    client: httpx.AsyncClient, engine: AsyncEngine, tenant_id: UUID, lathe_pack: RulePack
) -> None:
    own = (await client.get(EXPLAIN, params={"text": "zzlathe", "tenant_id": str(tenant_id)})).json()
    assert own["rule_pack"] == classify("zzlathe", lathe_pack).rule_pack
    assert [(rule["rule"], rule["vietnamese_name"]) for rule in own["rules"]] == [("wants a lathe", "muốn mua máy tiện")]
    assert (await client.post(EXPLAIN, json={"text": "zzlathe", "tenant_id": str(tenant_id)})).json() == own
    packaged = (await client.get(EXPLAIN, params={"text": "zzlathe"})).json()
    assert (packaged["rule_pack"], packaged["rules"]) == (classify("zzlathe").rule_pack, [])


async def test_an_unknown_tenant_is_404(client: httpx.AsyncClient) -> None:
    stranger = str(uuid4())
    assert_refused(await client.get(EXPLAIN, params={"text": "x", "tenant_id": stranger}), 404, f"There is no tenant {stranger}")
    assert_refused(await client.post(EXPLAIN, json={"text": "x", "tenant_id": stranger}), 404, f"There is no tenant {stranger}")


async def test_what_is_malformed_is_named(client: httpx.AsyncClient) -> None:
    for query, said in (({}, "text"), ({"text": "x", "tenant_id": "DAU-VET"}, "tenant_id")):
        answer = await client.get(EXPLAIN, params=query)
        assert (answer.status_code, said in answer.json()["error"], "DAU-VET" in answer.text) == (422, True, False)
    for body, said in (
        ({}, "text must be there and be a text."),
        ({"text": 7}, "text must be there and be a text."),
        ({"text": None}, "text must be there and be a text."),
        ({"text": "x", "tenant_id": "DAU-VET"}, "tenant_id must be a UUID, null or missing."),
        ({"text": "x", "tenant_id": 7}, "tenant_id must be a UUID, null or missing."),
        ({"text": "x", "DAU-VET": 1}, "Send only text and tenant_id."),
        ({"tenant_id": [], "more": 1}, "text must be there"),
    ):
        answer = await client.post(EXPLAIN, json=body)
        assert_refused(answer, 422, said)
        assert "DAU-VET" not in answer.text


async def test_a_body_that_is_no_json_object_is_400(client: httpx.AsyncClient) -> None:
    for body in (b"", b"no JSON", b"[]", b'"x"', b'{"text":NaN}', b'{"text":"\xff"}', b"[" * 50 + b"]" * 50):
        assert_refused(await client.post(EXPLAIN, content=body), 400, "The body is")


async def test_the_longest_text_by_get_is_8192_characters(client: httpx.AsyncClient) -> None:
    longest = "đ" * LONGEST_READ_CHARACTERS
    assert (await client.get(EXPLAIN, params={"text": longest})).json()["read_characters"] == 8192
    answer = await client.get(EXPLAIN, params={"text": longest + "đ"})
    assert answer.status_code == 422
    assert "text: String should have at most 8192 characters" in answer.json()["error"]


async def test_the_largest_body_is_64_kib(client: httpx.AsyncClient) -> None:
    frame = len(json.dumps({"text": ""}))
    largest = json.dumps({"text": "a" * (64 * 1024 - frame)}).encode()
    assert len(largest) == 64 * 1024
    answer = await client.post(EXPLAIN, content=largest)
    assert (answer.status_code, answer.json()["read_characters"]) == (200, 8192)
    assert_refused(await client.post(EXPLAIN, content=largest + b" "), 413, "The body is larger than 64 KiB")

    async def trickled() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 1024
        raise AssertionError("read on after the limit")

    assert_refused(await client.post(EXPLAIN, content=trickled()), 413, "larger than 64 KiB")
    assert_refused(await client.post(EXPLAIN, content=b"{}", headers={"content-encoding": "gzip"}), 415)


async def test_whatever_people_write_is_explained(client: httpx.AsyncClient) -> None:
    for text in STRANGE_TEXTS:
        if len(text) < 9_000:
            answer = await client.post(EXPLAIN, json={"text": text})
            assert (answer.status_code, answer.json()["text"]) == (200, text)
    for value in STRANGE_JSON:
        if len(value) < 9_000:
            answer = await client.post(EXPLAIN, content=f'{{"text":{value}}}'.encode())
            assert answer.status_code in (200, 400, 422), (value, answer.text)


async def test_in_the_application_it_asks_for_the_key_stores_nothing_and_logs_no_text(database: DatabaseAddresses, tenant_id: UUID) -> None:
    question = {"text": "DAU-VET báo giá", "tenant_id": str(tenant_id)}
    before = await rows_by_table(database.owner)
    with captured_logs("DEBUG") as logs:
        await ask_with_and_without_the_key(database, question)
        get_logger(__name__).info("everything_was_asked")
    assert await rows_by_table(database.owner) == before
    assert "everything_was_asked" in logs.text
    assert "DAU-VET" not in logs.text


async def ask_with_and_without_the_key(database: DatabaseAddresses, question: dict[str, str]) -> None:
    async with open_door(database.app, OPERATOR_API_KEY=KEY) as client:
        assert_refused(await client.get(EXPLAIN, params=question), 401)
        assert_refused(await client.post(EXPLAIN, json=question), 401)
        for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
            told = (await client.get(EXPLAIN, params=question, headers=headers)).json()
            assert told["rule_pack"] == classify("x").rule_pack
            assert (await client.post(EXPLAIN, json=question, headers=headers)).json() == told
            await client.get(EXPLAIN, params={**question, "tenant_id": "DAU-VET"}, headers=headers)
            await client.post(EXPLAIN, content=b'{"text":"DAU-VET', headers=headers)


async def test_openapi_describes_question_and_answer(database: DatabaseAddresses) -> None:
    async with open_door(database.app) as client:
        described = (await client.get("/openapi.json")).json()
    get, post = (described["paths"][EXPLAIN][method] for method in ("get", "post"))
    assert {one["name"]: one["required"] for one in get["parameters"]} == {"text": True, "tenant_id": False}
    assert set(post["requestBody"]["content"]["application/json"]["schema"]["properties"]) == {"text", "tenant_id"}
    for operation in (get, post):
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert {"marks", "rules", "silenced", "statistics", "decided_by"} <= set(described["components"]["schemas"][answer]["properties"])
