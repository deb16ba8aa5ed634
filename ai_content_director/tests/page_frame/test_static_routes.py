"""Static files: kept for ever under the address of their content, nothing else of the disk within reach."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI

from lead_signals.page_frame.static_file import STATIC_FOLDER, static_file
from lead_signals.page_frame.static_routes import FOR_EVER, static_routes

pytestmark = pytest.mark.anyio


def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(static_routes())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console.example")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("style.css", "text/css; charset=utf-8"), ("new_rows.js", "text/javascript; charset=utf-8"), ("mark.svg", "image/svg+xml")],
)
async def test_a_file_is_served_for_ever_under_its_hash(name: str, media_type: str) -> None:
    async with client() as browser:
        answer = await browser.get(static_file(name).address)
    assert answer.status_code == 200
    assert answer.content == (STATIC_FOLDER / name).read_bytes()
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (media_type, FOR_EVER)


async def test_the_hash_of_another_version_gets_the_present_file_and_may_not_be_kept() -> None:
    async with client() as browser:
        answer = await browser.get("/static/style.0123456789ab.css")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


@pytest.mark.parametrize(
    "path",
    [
        "/static/style.css",
        "/static/",
        "/static/absent.0123456789ab.css",
        "/static/..%2Fstatic_file.0123456789ab.py",
        "/static/%2e%2e%2f__init__.0123456789ab.py",
        "/static/style.0123456789ab.css%00",
        "/static/STYLE.0123456789AB.CSS",
    ],
)
async def test_everything_else_is_absent(path: str) -> None:
    async with client() as browser:
        assert (await browser.get(path)).status_code == 404


async def test_static_files_fetch_nothing_from_elsewhere() -> None:
    for path in STATIC_FOLDER.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("// ", "")), path.name


async def test_the_drawing_holds_no_script() -> None:
    seen: list[str] = []

    class Elements(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not [name for name, _ in attrs if name.startswith("on") or "href" in name]

    Elements().feed((STATIC_FOLDER / "mark.svg").read_text(encoding="utf-8"))
    assert set(seen) == {"svg", "rect", "path"}
