"""Every answer is safe to show in a browser, the failed ones first of all."""

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.intake import webhook_routes
from lead_signals.page_frame.static_file import static_file
from tests.deliveries import comment
from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import WEBHOOK, open_door

KEY = {"x-api-key": "khoa"}
NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"
ANSWERS: dict[str, tuple[int, Callable[[httpx.AsyncClient, UUID], object]]] = {
    "200 health": (200, lambda client, _: client.get("/health")),
    "200 page": (200, lambda client, _: client.get("/", headers=KEY)),
    "200 delivery": (200, lambda client, tenant: client.post(WEBHOOK, json=comment("c1"), headers={"X-Tenant-ID": str(tenant)})),
    "200 leads": (200, lambda client, tenant: client.get("/api/leads", params={"tenant_id": str(tenant)}, headers=KEY)),
    "200 metrics": (200, lambda client, _: client.get("/metrics", headers=KEY)),
    "201": (201, lambda client, _: client.post("/onboarding", json={"tenant_name": "Bún Cô Ba"}, headers=KEY)),
    "400": (400, lambda client, _: client.post(WEBHOOK, content=b"x")),
    "401": (401, lambda client, _: client.get("/api/leads")),
    "403": (403, lambda client, _: client.get(WEBHOOK)),
    "404": (404, lambda client, _: client.get("/nowhere")),
    "404 static": (404, lambda client, _: client.get("/static/nothing")),
    "404 page": (404, lambda client, _: client.get("/nowhere", headers={"accept": "text/html"})),
    "405": (405, lambda client, _: client.delete(WEBHOOK)),
    "413": (413, lambda client, _: client.post(WEBHOOK, content=b"x" * (1024 * 1024 + 1))),
    "415": (415, lambda client, _: client.post(WEBHOOK, content=b"x", headers={"content-encoding": "br"})),
    "422": (422, lambda client, _: client.get("/api/leads", headers=KEY)),
}
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


def assert_safe_to_show(answer: httpx.Response) -> None:
    assert {name: answer.headers.get_list(name) for name in SAFE} == {name: [value] for name, value in SAFE.items()}
    (policy,) = answer.headers.get_list("content-security-policy")
    directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert "unsafe" not in policy
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers


@pytest.mark.parametrize("what", ANSWERS)
async def test_every_answer(what: str, database: DatabaseAddresses, tenant_id: UUID) -> None:
    status, ask = ANSWERS[what]
    async with open_door(database.app, OPERATOR_API_KEY="khoa") as client:
        answer = await ask(client, tenant_id)  # type: ignore[misc]
    assert answer.status_code == status
    assert_safe_to_show(answer)


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_503(accept: str) -> None:
    async with open_door(NOBODY_LISTENS) as client:
        answer = await client.get("/", headers={"accept": accept})
    assert answer.status_code == 503
    assert_safe_to_show(answer)


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("crash", [ZeroDivisionError("<script>bí mật</script>"), RuntimeError("x"), RecursionError()], ids=repr)
async def test_500_from_a_crash_that_no_middleware_sees(
    crash: Exception, accept: str, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashing(*_: object, **__: object) -> None:
        raise crash

    monkeypatch.setattr(webhook_routes, "answer_handshake", crashing)
    with captured_logs() as logs:
        async with open_door(database.app) as client:
            answer = await client.get(WEBHOOK, headers={"accept": accept})
    assert [event["error"] for event in logs.events("unexpected_error")] == [crash.__class__.__name__]
    assert answer.status_code == 500
    assert "bí mật" not in answer.text
    assert_safe_to_show(answer)


async def test_in_production_browsers_are_told_to_come_by_tls_only(database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"DATABASE_URL": "postgresql://x", "FACEBOOK_APP_SECRET": "a", "FACEBOOK_VERIFY_TOKEN": "b", "OPERATOR_API_KEY": "c" * 16}
    with captured_logs():
        async with open_door("postgresql://nobody@127.0.0.1:1/none", APP_ENV="production", **secrets) as client:
            for path in ("/health", "/nowhere", "/"):
                assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            monkeypatch.setattr(webhook_routes, "answer_handshake", None)
            crashed = await client.get(WEBHOOK)
            assert (crashed.status_code, "strict-transport-security" in crashed.headers) == (500, True)
    async with open_door(database.app) as client:
        assert "strict-transport-security" not in (await client.get("/health")).headers


async def test_files_that_change_their_address_with_their_content_may_be_kept(database: DatabaseAddresses) -> None:
    async with open_door(database.app, OPERATOR_API_KEY="khoa") as client:
        answer = await client.get(static_file("style.css").address)
    assert (answer.status_code, answer.headers.get_list("cache-control")) == (200, ["public, max-age=31536000, immutable"])
    assert answer.headers["x-content-type-options"] == "nosniff"
