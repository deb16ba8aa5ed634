"""Leads whose message was edited, hidden or taken back, as the console shows them; the earlier texts are a stranger's words too."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_pages import lead_pages
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.message_versions import Version
from lead_signals.leads.render_leads import Reader
from lead_signals.leads.shown_edits import EARLIER_CHARACTERS, MOST_EARLIER
from lead_signals.page_frame.language import Language
from lead_signals.page_frame.unseen_characters import FEW_MARKS, is_blank
from tests.leads.hostile_texts import HOSTILE_TEXTS
from tests.leads.lives import FIRST_EDIT, SAID, SECOND_EDIT, edited, happen, hidden, removed, said
from tests.leads.page_trees import READER, leads_in, parsed, rendered, shape, the, words_of
from tests.leads.sample_leads import NOW, edited_lead, sample_lead

ENGLISH = Reader(Language.EN, NOW, "http://127.0.0.1:8000")
EARLIER = ".//details[@class='reason earlier']"


def only(lead: Lead, versions: Sequence[Version] = (), reader: Reader = READER) -> ElementTree.Element:
    (element,) = leads_in(parsed(rendered([lead], versions={lead.id: versions}, reader=reader)))
    return element


def said_in(element: ElementTree.Element, path: str) -> list[str]:
    return [" ".join(words_of(found).split()) for found in element.findall(path)]


def test_an_edited_lead_says_so_and_shows_what_it_said_before_on_demand() -> None:
    lead = only(*edited_lead(0, "Đẹp quá", "Giá sao shop", "Báo giá giúp em 500 hộp"))
    details = the(lead, EARLIER)
    assert details.get("open") is None
    assert said_in(details, "summary") == ["Đã sửa 2 lần"]
    assert said_in(details, "p") == ["Nội dung trước khi sửa"]
    assert said_in(details, "ol/li/q") == ["Đẹp quá", "Giá sao shop"]
    assert said_in(details, "ol/li/time") == ["06:30:00 23/11/2026 (UTC+7)", "06:31:00 23/11/2026 (UTC+7)"]
    assert said_in(lead, ".//p[@class='words']") == ["Báo giá giúp em 500 hộp"]


def test_the_same_in_english() -> None:
    lead = only(*edited_lead(0, "Nice", "How much?", meta={"hidden": True}, status="won"), reader=ENGLISH)
    assert said_in(lead, f"{EARLIER}/summary") == ["Edited once"]
    assert said_in(lead, f"{EARLIER}/p") == ["Before it was edited"]
    assert said_in(lead, ".//li[@class='badge flag']") == ["Hidden"]


def test_of_many_edits_the_first_text_and_the_last_ones_are_shown_and_the_rest_counted() -> None:
    lead, versions = edited_lead(0, *(f"lần {number}" for number in range(1_235)))
    shown = [versions[0], *versions[-MOST_EARLIER:]]
    details = the(only(lead, shown), EARLIER)
    assert said_in(details, "summary") == ["Đã sửa 1.234 lần"]
    assert said_in(details, "ol/li/q") == ["lần 0", "lần 1230", "lần 1231", "lần 1232", "lần 1233"]
    assert said_in(details, "p")[-1] == "và 1.229 lần sửa khác"


def test_an_earlier_text_without_words_is_said_to_be_one() -> None:
    details = the(only(*edited_lead(0, "\u200b", "Giá sao shop")), EARLIER)
    assert said_in(details, "ol/li/span") == ["Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán."]


def test_a_lead_that_nobody_edited_says_nothing_of_it() -> None:
    assert only(sample_lead(0)).find(EARLIER) is None
    assert "Đã sửa" not in words_of(only(sample_lead(0)))


@pytest.mark.parametrize("status", list(LeadStatus))
def test_flags_say_what_the_status_does_not(status: LeadStatus) -> None:
    changed = {"hidden": True, "removed_at": "2026-11-23T01:00:00+00:00"}
    flags = said_in(only(sample_lead(0, status=status.value, meta=changed)), ".//li[@class='badge flag']")
    assert flags == (["Đang ẩn"] if status is LeadStatus.WITHDRAWN else ["Đang ẩn", "Khách đã xoá"])
    badge = said_in(only(sample_lead(0, status=status.value, meta=changed)), f".//li[@class='badge status-{status.value}']")
    assert (badge == ["Khách đã xoá"]) == (status is LeadStatus.WITHDRAWN)
    assert said_in(only(sample_lead(0, status=status.value)), ".//li[@class='badge flag']") == []


@pytest.mark.parametrize(
    "forged", [{"edited": value, "hidden": value} for value in (None, "x", 7, [], {}, {"count": "many"}, {"count": -3}, {"count": [1]})]
)
def test_what_is_no_mark_of_ours_is_not_shown(forged: dict[str, Any]) -> None:
    lead = only(sample_lead(0, meta=forged))
    assert said_in(lead, ".//li[@class='badge flag']") == []
    assert "Đã sửa" not in words_of(lead)


def test_an_edited_lead_whose_versions_are_gone_still_says_that_it_was() -> None:
    lead, _ = edited_lead(0, "Đẹp quá", "Giá sao shop")
    assert said_in(only(lead), ".//p[@class='soft earlier']") == ["Đã sửa 1 lần"]


def test_hostile_earlier_texts_change_nothing_of_the_page() -> None:
    def page(texts: Sequence[str]) -> str:
        edits = [edited_lead(number, text, "x") for number, text in enumerate(texts)]
        return rendered([lead for lead, _ in edits], versions={lead.id: versions for lead, versions in edits})

    texts = [text for text in HOSTILE_TEXTS if not is_blank(text)]
    hostile, harmless = parsed(page(texts)), parsed(page(["x"] * len(texts)))
    assert shape(hostile) == shape(harmless)
    assert page(texts) != page(["x"] * len(texts))
    assert shape(parsed(page(texts).replace("<q><bdi>", "<q><bdi><b></b>", 1))) != shape(harmless), "the measure notices one too many"


@pytest.mark.parametrize("unit", ["a\u200b", '"', "\u202e\ufffd", "a", "\n", "\U0001f468\u200d"])
def test_overfull_earlier_texts_make_a_page_of_bounded_size(unit: str) -> None:
    leads, versions = [], dict[UUID, Sequence[Version]]()
    for number in range(50):
        lead, some = edited_lead(number, *["x"] * (MOST_EARLIER + 1))
        leads.append(lead)
        versions[lead.id] = [replace(version, content_text=(unit * 70_000)[:70_000]) for version in some]
    plain, html = rendered(leads), rendered(leads, versions=versions)
    assert html.count('class="unseen"') <= 50 * MOST_EARLIER * FEW_MARKS
    assert len(html.encode()) - len(plain.encode()) <= 50 * MOST_EARLIER * (6 * EARLIER_CHARACTERS + 100 * FEW_MARKS + 300)


async def test_the_console_reads_it_from_the_database(engine: AsyncEngine, tenant_id: UUID) -> None:
    await happen(engine, tenant_id, said("a"), said("b"), said("c"), said("d"))
    long_text = "giá sỉ " * 400
    await happen(engine, tenant_id, edited("a", FIRST_EDIT, minutes=1), edited("a", SECOND_EDIT, minutes=2), hidden("b", minutes=1))
    await happen(engine, tenant_id, removed("c"), edited("d", long_text, minutes=1), edited("d", FIRST_EDIT, minutes=2))
    app = FastAPI()
    app.include_router(lead_pages(engine))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console.example:8000") as client:
        page = await client.get("/", params={"tenant_id": str(tenant_id)})
    assert page.status_code == 200
    d, c, b, a = leads_in(parsed(page.text))
    assert said_in(a, f"{EARLIER}/ol/li/q") == [SAID, FIRST_EDIT]
    assert said_in(b, ".//li[@class='badge flag']") == ["Đang ẩn"]
    assert said_in(c, ".//li[@class='badge status-withdrawn']") == ["Khách đã xoá"]
    first, second = (re.sub(r"\s", " ", words) for words in said_in(d, f"{EARLIER}/ol/li/q"))
    assert first == SAID
    assert second.endswith("…")
    assert len(second) <= EARLIER_CHARACTERS
    assert long_text.startswith(second[:-1])


def test_versions_are_looked_up_by_lead() -> None:
    edits: Mapping[str, tuple[Lead, list[Version]]] = {name: edited_lead(number, name, "x") for number, name in enumerate(("một", "hai"))}
    page = parsed(rendered([lead for lead, _ in edits.values()], versions={lead.id: some for lead, some in edits.values()}))
    assert [said_in(lead, f"{EARLIER}/ol/li/q") for lead in leads_in(page)] == [["một"], ["hai"]]
