"""Logs: one JSON object a line, whatever a stranger writes; never what a person said, never a secret."""

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import prepare
from lead_signals.log_context import get_logger
from tests.deliveries import comment
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, open_door
from tests.intake.page_deliveries import delivery, page_entry, signed
from tests.product import Api, product_on

FORGED = '\r\n{"level":"info","event":"forged_by_a_stranger"}\n'
HOSTILE = f"DAU-VET {FORGED}\x1b[2J\x1b]0;x\x07\u2028\u2029\x85\x00\u202e\x7f"
NOBODY_LISTENS = "postgresql://ten-dang-nhap:DAU-VET-mat-khau@127.0.0.1:1/lead_signals"
SECRETS = {
    "FACEBOOK_APP_SECRET": "DAU-VET-app-secret",
    "FACEBOOK_VERIFY_TOKEN": "DAU-VET-verify-token",
    "OPERATOR_API_KEY": "DAU-VET-operator-key",
    "WEBHOOK_URL": "https://n8n.example/webhook/DAU-VET-webhook-url",
    "WEBHOOK_SIGNING_SECRET": "whsec_REFVLVZFVC1zaWduaW5nLXNlY3JldC0yNGI=",
    "OPENAI_API_KEY": "DAU-VET-openai-key",
    "DATABASE_OWNER_URL": "postgresql://x:DAU-VET-owner@h/d",
}
POST = b"POST /webhooks/facebook HTTP/1.1\r\nHost: x\r\n"
MARKERS = ("DAU-VET", "REFVLVZFVC1", "forged_by_a_stranger", "\x1b", "\u2028", "\u202e")


def assert_clean(written: str) -> list[dict[str, object]]:
    """Every line is one JSON object in ASCII, and no marker stands in any of them. The lines."""
    assert written.isascii()
    lines = [json.loads(line) for line in written.splitlines()]
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)
    for marker in MARKERS:
        assert marker not in written
        assert marker not in "".join(f"{value}" for line in lines for value in line.values())
    return lines


def test_a_line_is_one_json_object_with_when_what_and_who() -> None:
    with captured_logs() as logs:
        get_logger("lead_signals.somewhere").info("something_happened", count=3, tenant_id="t1")
    (line,) = logs.lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "something_happened", "count": 3, "tenant_id": "t1", "level": "info", "logger": "lead_signals.somewhere"}


def test_hostile_values_stay_within_their_line() -> None:
    with captured_logs() as logs:
        get_logger("lead_signals.somewhere").warning(f"event {HOSTILE}", **{"key": HOSTILE, f"key {HOSTILE}": 1})
        logging.getLogger("a.library").warning("says %s", HOSTILE)
    assert logs.text.isascii()
    assert len(logs.text.splitlines()) == 2
    assert not set("\x1b\x00\x7f") & set(logs.text)
    assert [line["level"] for line in logs.lines] == ["warning", "warning"]


def test_a_traceback_stays_within_its_line() -> None:
    with captured_logs() as logs:
        try:
            raise ValueError(FORGED)
        except ValueError:
            get_logger("lead_signals.somewhere").error("it_crashed", exc_info=True)
    (line,) = logs.lines
    assert "Traceback" in line["exception"]
    assert len(logs.text.splitlines()) == 1


def test_the_level_is_kept_and_chatty_libraries_are_quiet() -> None:
    with captured_logs("WARNING") as logs:
        get_logger("lead_signals.somewhere").info("not_now")
        logging.getLogger("httpx").warning("now")
    assert [line["event"] for line in logs.lines] == ["now"]
    with captured_logs("DEBUG") as logs:
        for chatty in ("httpx", "httpcore", "uvicorn.access", "sqlalchemy.engine"):
            logging.getLogger(chatty).info("SELECT 'what a person wrote'")
    assert logs.lines == []


async def test_what_a_person_wrote_is_never_logged(database: DatabaseAddresses, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    with captured_logs("DEBUG") as logs:
        async with open_door(database.app) as client:
            headers = {"X-Tenant-ID": str(tenant_id)}
            entry = {
                "message": HOSTILE,
                "sender_name": HOSTILE,
                "sender_id": "DAU-VET-1",
                "post_id": "DAU-VET-2",
                "comment_id": "DAU-VET-3",
            }
            body = {"object": "page", "entry": [entry, {"message": {"DAU-VET": 1}}, {"DAU-VET": 1}, HOSTILE], "DAU-VET": HOSTILE}
            assert (await client.post(WEBHOOK, json=body, headers=headers)).json()["created"] == 1
            for bad in ({"object": HOSTILE}, {"tenant_id": HOSTILE}, {"entry": {"DAU-VET": 1}}):
                await client.post(WEBHOOK, json={**comment("DAU-VET"), **bad}, headers=headers)
            await client.post(WEBHOOK, json=comment("c1"), headers=[(b"x-tenant-id", b"DAU-VET \x1b[2J\xff")])
            await client.post("/onboarding", json={"tenant_name": HOSTILE, "DAU-VET": 1})
            for address in (
                "/DAU-VET%0d%0a%1b[2J",
                "/static/DAU-VET%E2%80%A8",
                "/api/leads?tenant_id=DAU-VET%0a&DAU-VET=1",
                f"{WEBHOOK}?hub.mode=DAU-VET%0a",
            ):
                await client.get(address, headers=[(b"user-agent", b"DAU-VET\x1b[2J"), (b"referer", b"http://DAU-VET/")])
            refuse_every_lead(monkeypatch)
            answer = await client.post(WEBHOOK, json={"object": "page", "entry": [entry | {"comment_id": "DAU-VET-4"}]}, headers=headers)
            assert (answer.status_code, answer.json()["created"]) == (200, 0)
    lines = assert_clean(logs.text)
    assert {"delivery_admitted", "delivery_refused", "handshake_refused", "group_failed"} <= {line["event"] for line in lines}


def refuse_every_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    make_lead = prepare._lead
    monkeypatch.setattr(prepare, "_lead", lambda *signal: replace(make_lead(*signal), content_text="DAU-VET \x00"))


async def test_no_secret_is_logged_or_answered(fresh_database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[httpx.Response] = []
    with captured_logs("DEBUG") as logs:
        for address in (fresh_database.app, NOBODY_LISTENS):
            async with open_door(address, **SECRETS) as client:
                for path in ("/", "/ready", "/metrics", "/api/leads", "/openapi.json", "/health", "/nowhere", WEBHOOK):
                    for key in ({}, {"x-api-key": SECRETS["OPERATOR_API_KEY"]}, {"authorization": "Bearer khac"}):
                        answers.append(await client.get(path, headers=key))
                raw = delivery(page_entry("719", ("c1", "x")))
                answers.append(await client.post(WEBHOOK, content=raw, headers=signed(raw, "khac")))
                answers.append(await client.post(WEBHOOK, content=raw, headers=signed(raw, SECRETS["FACEBOOK_APP_SECRET"])))
                answers.append(await client.post("/onboarding", json={}, headers={"x-api-key": SECRETS["OPERATOR_API_KEY"]}))
        async with open_door(fresh_database.app, **SECRETS) as client:
            monkeypatch.setattr(prepare, "new_id", lambda: 1 / 0)
            raw = delivery({"message": "DAU-VET", "comment_id": "c1"})
            headers = {**signed(raw, SECRETS["FACEBOOK_APP_SECRET"]), "X-Tenant-ID": await some_tenant(client)}
            answers.append(await client.post(WEBHOOK, content=raw, headers=headers))
    assert {answer.status_code for answer in answers} >= {200, 401, 403, 404, 422, 500, 503}
    lines = assert_clean(logs.text)
    assert {"unexpected_error", "database_away", "starting_without_database"} <= {line["event"] for line in lines}
    for answer in answers:
        assert not any(marker in answer.text + str(answer.headers) for marker in MARKERS), answer.request.url


async def some_tenant(client: httpx.AsyncClient) -> str:
    answer = await client.post("/onboarding", json={"tenant_name": "x"}, headers={"x-api-key": SECRETS["OPERATOR_API_KEY"]})
    return str(answer.json()["tenant"]["id"])


@pytest.fixture(scope="module")
def api(database: DatabaseAddresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with product_on(database, tmp_path_factory.mktemp("logs"), **SECRETS) as product:
        yield product.start_api()


def test_a_real_server_logs_nothing_else(api: Api) -> None:
    address = urlsplit(api.base_url)
    for raw in (
        b"GET /DAU-VET\x1b[2J HTTP/1.1\r\nHost: DAU-VET\r\n\r\n",
        b"GET /%0d%0aDAU-VET HTTP/1.1\r\nHost: x\r\nX-DAU-VET: \x1b[2J\r\nConnection: close\r\n\r\n",
        b"DAU-VET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00DAU-VET",
        POST + b"Content-Length: 7\r\nConnection: close\r\nX-Hub-Signature-256: DAU-VET\r\n\r\nDAU-VET",
        POST + b"Content-Length: 400\r\n\r\nDAU-VET",
    ):
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
    assert httpx.get(f"{api.base_url}/health", trust_env=False).status_code == 200
    api.end()
    lines = assert_clean(Path(api.log_path).read_text(encoding="utf-8"))
    assert "delivery_refused" in {line["event"] for line in lines}
