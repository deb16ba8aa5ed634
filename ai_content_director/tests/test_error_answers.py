"""A failed request gets one clear sentence: as JSON for programs, as a page in their language for a person at a browser."""

import httpx
import pytest

from lead_signals.http_app import make_app
from lead_signals.page_frame.language import LANGUAGE_COOKIE
from lead_signals.settings import read_settings

NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


def client(**environment: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(make_app(NOBODY_LISTENS, read_settings(environment)), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/api/leads", 405), ("GET", "/?page=1", 503)])
async def test_a_program_gets_json(method: str, path: str, status: int) -> None:
    async with client() as program:
        answer = await program.request(method, path, headers={"accept": "*/*"})
    assert answer.status_code == status
    assert answer.json()["ok"] is False
    assert answer.json()["error"].endswith(".")


@pytest.mark.parametrize(
    ("path", "status", "language", "heading"),
    [
        ("/nowhere", 404, "vi", "Không có trang này"),
        ("/nowhere", 404, "en", "There is no such page"),
        ("/", 503, "vi", "Cơ sở dữ liệu chưa trả lời"),
        ("/", 503, "en", "The database does not answer"),
    ],
)
async def test_a_person_gets_a_page_in_their_language(path: str, status: int, language: str, heading: str) -> None:
    async with client() as browser:
        answer = await browser.get(path, headers=BROWSER | {"cookie": f"{LANGUAGE_COOKIE}={language}"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f'<html lang="{language}"' in answer.text
    assert heading in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_a_browser_without_the_key_is_asked_for_it_and_told_what_it_is() -> None:
    async with client(OPERATOR_API_KEY="open-sesame-of-a-test") as browser:
        answer = await browser.get("/", headers=BROWSER)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert "OPERATOR_API_KEY" in answer.text
    assert "open-sesame" not in answer.text


async def test_what_was_asked_for_is_not_repeated() -> None:
    async with client() as browser:
        answer = await browser.get("/<script>alert(1)</script>", headers=BROWSER)
    assert answer.status_code == 404
    assert "alert(1)" not in answer.text
