"""The console's first page: what a newcomer sees, and what a sales operator opens at eight in the morning."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.intent.classify import classify
from lead_signals.leads import lead_pages as pages_module
from lead_signals.leads.lead_list import Lead, LeadPage
from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, LeadPageAddress
from lead_signals.leads.lead_pages import lead_pages
from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.leads.open_leads import LeadDraft, OpenedLead, open_leads
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads, render_no_tenants, render_tenant_list
from lead_signals.page_frame.language import LANGUAGE_COOKIE, Language
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.leads.page_trees import READER, leads_in, parsed, rendered, the, words_of
from tests.leads.sample_leads import NOW, OTHER_TENANT, TENANT, morning_inbox, sample_lead

ENGLISH = Reader(Language.EN, NOW, "http://127.0.0.1:8000")


def only_lead(lead: Lead) -> ElementTree.Element:
    (element,) = leads_in(parsed(rendered([lead])))
    return element


def part(element: ElementTree.Element, class_name: str) -> str:
    """The words of the only part of that class, spaces folded."""
    (found,) = (inner for inner in element.iter() if class_name in inner.get("class", "").split())
    return " ".join(words_of(found).split())


# ---- one lead ----


def test_a_lead_says_who_when_where_and_what_was_read() -> None:
    lead = only_lead(sample_lead(0))
    assert words_of(the(lead, ".//h3")) == "Nguyễn Thị Hồng Nhung"
    assert part(lead, "where") == "vừa xong · Bình luận · Facebook"
    assert the(lead, ".//time").get("title") == "07:59:40 23/11/2026 (UTC+7)"
    assert part(lead, "badge") == "Tự động"
    assert part(lead, "intent") == "Hỏi giá"
    assert part(lead, "priority") == "Ưu tiên cao"
    assert part(lead, "words") == "Cho em xin báo giá 500 hộp carton 30x20x15 với ạ, sđt em 0912 345 670"


def test_the_words_that_decided_are_marked_with_their_rules() -> None:
    words = sample_lead(0, text="Xin báo giá, cảm ơn")
    evidence = [
        {"rule": "asks for some quotation", "start": 0, "end": 11, "intent_label": "inquiry_price"},
        {"rule": "says many thanks", "start": 13, "end": 19, "intent_label": "thanks"},
    ]
    lead = only_lead(replace(words, intent_label="inquiry_price", meta={"evidence": evidence}))
    assert [(mark.text, mark.get("class"), mark.get("title")) for mark in lead.iter("mark")] == [
        ("Xin báo giá", None, "asks for some quotation"),
        ("cảm ơn", "other", "says many thanks"),
    ]
    reasons = [" ".join(words_of(reason).split()) for reason in lead.findall(".//details[@class='reason']/ul/li")]
    assert reasons == ["Xin báo giá → Hỏi giá (quy tắc asks for some quotation)", "cảm ơn → Cảm ơn (quy tắc says many thanks)"]


@pytest.mark.parametrize(
    ("score", "percent"), [(0.0, 0), (0.29, 29), (0.57, 57), (0.699, 69), (0.70, 70), (0.8499, 84), (0.85, 85), (0.9999, 99), (1.0, 100)]
)
def test_confidence_never_reads_higher_than_its_lane(score: float, percent: int) -> None:
    assert part(only_lead(sample_lead(0, confidence_score=score)), "confidence") == f"Tin cậy {percent}%"


def test_phones_and_emails_can_be_pressed() -> None:
    meta = {"phones": ["+84912345670", "+842838220001", "+6591234567"], "emails": ["mua.hang@xuongmoc.example"], "permalink_url": None}
    lead = only_lead(sample_lead(0, meta=meta))
    assert [(words_of(link), link.get("href"), link.get("aria-label")) for link in lead.iter("a")] == [
        ("0912 345 670", "tel:+84912345670", "Gọi 0912 345 670"),
        ("028 3822 0001", "tel:+842838220001", "Gọi 028 3822 0001"),
        ("+65 9123 4567", "tel:+6591234567", "Gọi +65 9123 4567"),
        ("mua.hang@xuongmoc.example", "mailto:mua.hang@xuongmoc.example", "Gửi email cho mua.hang@xuongmoc.example"),
    ]


def test_contacts_that_are_none_become_no_links_and_many_are_counted() -> None:
    meta = {"phones": ["javascript:alert(1)", None, 7, ""], "emails": ["a@b?cc=c@d"], "permalink_url": None}
    lead = only_lead(sample_lead(0, meta=meta))
    assert list(lead.iter("a")) == []
    assert part(lead, "contacts") == "javascript:alert(1) a@b?cc=c@d"
    many = only_lead(sample_lead(0, meta={"phones": [f"+8491234567{last}" for last in range(9)], "emails": "x"}))
    assert "và 3 liên hệ khác" in part(many, "contacts")


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://www.facebook.com/permalink.php?story_fbid=1&id=2", True),
        ("https://www.instagram.com/p/abc/", True),
        ("http://www.facebook.com/1", False),
        ("https://facebook.com.evil.example/", False),
        ("https://evil.example/https://facebook.com", False),
        ("https://evil.example\\@facebook.com/", False),
        ("javascript:alert(1)", False),
        ("//facebook.com/1", False),
        (["https://facebook.com/1"], False),
        (None, False),
    ],
)
def test_only_posts_on_facebook_and_instagram_are_linked(address: object, is_link: bool) -> None:
    lead = only_lead(sample_lead(0, meta={"phones": [], "permalink_url": address}))
    links = list(lead.iter("a"))
    assert [link.get("href") for link in links] == ([address] if is_link else [])
    assert all(link.get("rel") == "noopener noreferrer nofollow" for link in links)


@pytest.mark.parametrize("name", [None, "", "  ", "\u3164", "\u200b\u200b"])
def test_a_person_without_a_name_is_said_to_be_one(name: str | None) -> None:
    assert words_of(the(only_lead(replace(sample_lead(0), author_name=name)), ".//h3")) == "Chưa rõ tên"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán."),
        (
            {"meta": {"attachments": [{"type": "photo"}, {"type": "image"}, {"type": "sticker"}]}},
            "Không có chữ, chỉ gửi 2 ảnh, 1 nhãn dán.",
        ),
        ({"meta": {"attachments": [{"type": "hologram"}, {"type": ["x"]}, {}, 7]}}, "Không có chữ, chỉ gửi 3 tệp đính kèm."),
        ({"meta": {"attachments": "x"}}, "Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán."),
        ({"source_type": "lead_form"}, "Đã điền biểu mẫu."),
    ],
)
def test_an_empty_text_is_said_in_words(fields: dict[str, Any], sentence: str) -> None:
    assert part(only_lead(sample_lead(0, text="", **fields)), "wordless") == sentence


def test_the_answers_of_a_lead_form_are_shown() -> None:
    answers = [{"name": "full_name", "values": ["Phan Thị Mơ"]}, {"name": 3}, 7, {"name": "city", "values": None}]
    lead = only_lead(sample_lead(0, text="", source_type="lead_form", meta={"field_data": answers}))
    assert part(lead, "answers") == "full_name Phan Thị Mơ city"


def test_a_long_text_is_shortened_and_can_be_read_whole_without_a_script() -> None:
    text = " ".join(f"chữ{number}" for number in range(400))
    lead = only_lead(sample_lead(0, text=text))
    excerpt = part(lead, "excerpt")
    assert excerpt.endswith("…")
    assert text.startswith(excerpt.removesuffix("…"))
    assert text[len(excerpt) - 1] == " ", "cut between two words"
    assert len(excerpt) <= 301
    details = the(lead, ".//details[@class='long']")
    assert words_of(the(details, "p")) == text


def test_a_text_of_many_lines_begins_with_its_first_words() -> None:
    lead = only_lead(sample_lead(0, text="\n" * 9 + "\n".join(f"dòng {number}" for number in range(9))))
    assert part(lead, "excerpt") == "dòng 0 dòng 1 dòng 2 dòng 3…"


@pytest.mark.parametrize(
    ("reader", "sentence", "press"),
    [
        (READER, "Nội dung còn dài: đây là 5.000 trong tổng số 65.536 ký tự. Xem toàn văn qua API: GET /api/leads.", "Đọc tiếp"),
        (ENGLISH, "The text goes on: these are 5,000 of its 65,536 characters. The whole text is in the API: GET /api/leads.", "Read on"),
    ],
)
def test_a_text_longer_than_a_page_shows_says_so(reader: Reader, sentence: str, press: str) -> None:
    text = ("giá sỉ " * 10_000)[:65_536]
    (lead,) = leads_in(page_of([sample_lead(0, text="\n" + text[1:])], HERE, reader))
    (words,) = (words_of(found) for found in lead.iter("p") if found.get("class") == "words")
    assert words == text[1:5_001] + "…", "from the first word on"
    assert part(lead, "goes-on") == sentence
    assert part(lead, "more") == press


def test_a_text_that_just_fits_is_shown_whole_and_says_nothing_more() -> None:
    text = ("giá sỉ " * 1_000)[:4_999] + "."
    (lead,) = leads_in(page_of([sample_lead(0, text=text)], HERE))
    assert words_of(the(the(lead, ".//details[@class='long']"), "p")) == text
    assert "goes-on" not in {element.get("class") for element in lead.iter()}
    assert part(lead, "more") == "Đọc hết"


def test_answers_that_are_left_out_are_counted() -> None:
    answers = [{"name": f"câu {number}", "values": ["x" * 600]} for number in range(23)]
    lead = only_lead(sample_lead(0, text="", source_type="lead_form", meta={"field_data": answers}))
    assert len(lead.findall(".//dl[@class='answers']/div")) == 20
    assert words_of(the(lead, ".//dl[@class='answers']/div/dd")) == "x" * 299 + "…"
    assert words_of(the(lead, ".//div[@class='said']/p[@class='soft']")) == "và 3 câu trả lời khác"


def test_words_of_a_newer_version_are_shown_as_they_are() -> None:
    lead = only_lead(sample_lead(0, status="parked", intent_label="wholesale", priority="extreme", source_type="story", platform="zalo_oa"))
    assert (part(lead, "badge"), part(lead, "intent"), part(lead, "priority")) == ("parked", "wholesale", "extreme")
    assert part(lead, "where").endswith("story · zalo_oa")


# ---- the page ----


def page_of(leads: Sequence[Lead], address: LeadPageAddress, reader: Reader = READER, **seen: Any) -> ElementTree.Element:
    values: dict[str, Any] = {"tenant": TENANT, "tenants": [TENANT], "page": LeadPage(leads, len(leads)), "counts": {}} | seen
    return parsed(render_leads(TenantLeads(**values), address, reader))


HERE = LeadPageAddress(tenant_id=TENANT.id)


def test_leads_stand_under_their_days_newest_first() -> None:
    page = page_of(morning_inbox(200), HERE)
    assert [heading.text for heading in page.iter("h2")] == ["Hôm nay, 23/11/2026", "Hôm qua, 22/11/2026", "Thứ Bảy, 21/11/2026"]
    moments = [time.get("datetime", "") for time in page.iter("time")]
    assert len(moments) == 200
    assert moments == sorted(moments, reverse=True)


def test_the_title_counts_and_names() -> None:
    page = page_of(morning_inbox(2), HERE, page=LeadPage(morning_inbox(2), 1_234))
    assert page.findtext(".//title") == "1.234 lead · Bao bì Sao Mai – Lead Signals"
    page = page_of(morning_inbox(1), HERE, ENGLISH)
    assert page.get("lang") == "en"
    assert page.findtext(".//title") == "1 lead · Bao bì Sao Mai – Lead Signals"


def test_filters_show_the_three_lanes_always_and_other_statuses_when_they_hold_leads() -> None:
    page = page_of([], replace(HERE, status=LeadStatus.NEW_DRAFT), counts={"new_draft": 1_200, "won": 3})
    chips = [(" ".join(words_of(link).split()), link.get("aria-current")) for link in page.findall(".//nav[@class='chips']//a")]
    assert chips == [("Tất cả 1.203", None), ("Tự động 0", None), ("Nháp 1.200", "page"), ("Cần người xem 0", None), ("Đã chốt 3", None)]


def test_pages_lead_to_newer_and_older() -> None:
    leads = morning_inbox(LEADS_PER_PAGE)
    page = page_of(leads, replace(HERE, page=2), page=LeadPage(leads, 120))
    assert part(page, "range") == "51–100 trong 120"
    assert the(page, ".//a[@rel='prev']").get("href") == f"/?tenant_id={TENANT.id}"
    assert the(page, ".//a[@rel='next']").get("href") == f"/?tenant_id={TENANT.id}&page=3"
    last = page_of(leads[:20], replace(HERE, page=3), page=LeadPage(leads[:20], 120))
    assert last.find(".//a[@rel='next']") is None
    only = page_of(leads, HERE)
    assert only.find(".//nav[@class='pages']") is None


def test_the_linked_lead_stands_on_top_and_only_once() -> None:
    inbox = morning_inbox(5)
    page = page_of(inbox, replace(HERE, lead_id=inbox[3].id), linked=inbox[3])
    ids = [lead.get("id") for lead in leads_in(page)]
    assert ids == [f"lead-{inbox[number].id}" for number in (3, 0, 1, 2, 4)]
    assert words_of(the(page, ".//section[@class='linked']/h2")) == "Lead bạn vừa mở từ liên kết"


def test_the_switcher_is_there_when_there_is_something_to_switch() -> None:
    assert page_of([], HERE).find(".//select") is None
    twin = replace(TENANT, id=UUID("01930000-0000-7000-8000-00000000a003"))
    page = page_of([], HERE, tenants=[TENANT, OTHER_TENANT, twin])
    options = [(option.text, option.get("value"), option.get("selected")) for option in page.findall(".//select/option")]
    assert options == [
        ("Bao bì Sao Mai (…00a001)", str(TENANT.id), ""),
        ("Nội thất Gỗ Việt Xưa", str(OTHER_TENANT.id), None),
        ("Bao bì Sao Mai (…00a003)", str(twin.id), None),
    ]
    form = the(page, ".//form")
    assert (form.get("method"), form.get("action"), the(page, ".//select").get("name")) == ("get", "/", "tenant_id")


def test_an_empty_tenant_says_how_a_first_lead_comes() -> None:
    page = page_of([], HERE)
    command = words_of(the(page, ".//pre"))
    assert f"X-Tenant-ID: {TENANT.id}" in command
    assert "http://127.0.0.1:8000/webhooks/facebook" in command
    filtered = page_of([], replace(HERE, status=LeadStatus.WON), counts={"new_auto": 3})
    assert filtered.find(".//pre") is None
    assert the(filtered, ".//a[@class='button']").get("href") == f"/?tenant_id={TENANT.id}"


def test_a_fresh_installation_says_how_to_begin_in_each_language() -> None:
    for reader, name in ((READER, "Bao bì Sao Mai"), (ENGLISH, "Morning Star Packaging")):
        page = parsed(render_no_tenants(LeadPageAddress(), reader))
        command = words_of(the(page, ".//pre"))
        assert "/onboarding" in command
        body = Onboarding.model_validate_json(command.partition("-d '")[2].removesuffix("'"))
        assert body.tenant_name == name


def test_several_tenants_are_a_list_to_choose_from_and_the_lead_is_not_forgotten() -> None:
    lead_id = uuid4()
    page = parsed(render_tenant_list([TENANT, OTHER_TENANT], LeadPageAddress(lead_id=lead_id), READER))
    links = [(words_of(the(link, "strong")), link.get("href")) for link in page.findall(".//ul[@class='tenants']/li/a")]
    assert links == [
        ("Bao bì Sao Mai", f"/?tenant_id={TENANT.id}&lead={lead_id}"),
        ("Nội thất Gỗ Việt Xưa", f"/?tenant_id={OTHER_TENANT.id}&lead={lead_id}"),
    ]


# ---- over HTTP, with a database ----


def client(engine: AsyncEngine, **options: Any) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(lead_pages(engine))
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://console.example:8000", **options)


async def leads_said(engine: AsyncEngine, tenant_id: UUID, *texts: str) -> list[OpenedLead]:
    drafts = [
        LeadDraft(
            uuid4(), None, "facebook", "comment", None, "p1", None, f"c{uuid4()}", "Lê Hoàng Yến", "u1", text, None, classify(text), {}
        )
        for text in texts
    ]
    async with tenant_session(engine, tenant_id) as session:
        return await open_leads(session, tenant_id, drafts)


@pytest.fixture
async def lonely_engine(fresh_database: DatabaseAddresses) -> AsyncIterator[AsyncEngine]:
    """A database of one's own: nobody else's tenants in it."""
    engine = app_engine(fresh_database.app, application_name="tests")
    yield engine
    await engine.dispose()


@pytest.mark.anyio
async def test_from_nothing_to_one_tenant_to_several(lonely_engine: AsyncEngine) -> None:
    async with client(lonely_engine) as browser:
        answer = await browser.get("/")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "http://console.example:8000/onboarding" in words_of(the(parsed(answer.text), ".//pre"))

        first = (await onboard_tenant(lonely_engine, Onboarding(tenant_name="Xưởng Gốm Lam", industry="Gốm"))).tenant.id
        await leads_said(lonely_engine, first, "Cho xin báo giá 20 bình gốm")
        answer = await browser.get("/")
        assert answer.status_code == 200
        assert parsed(answer.text).findtext(".//h1/bdi") == "Xưởng Gốm Lam"
        assert len(leads_in(parsed(answer.text))) == 1

        second = (await onboard_tenant(lonely_engine, Onboarding(tenant_name="Trà Shan Tuyết", industry="Trà"))).tenant.id
        answer = await browser.get("/")
        assert answer.status_code == 200
        links = [link.get("href", "") for link in parsed(answer.text).findall(".//ul[@class='tenants']/li/a")]
        assert links == [f"/?tenant_id={first}", f"/?tenant_id={second}"]
        assert leads_in(parsed((await browser.get(links[1])).text)) == []


@pytest.mark.anyio
async def test_the_newest_first_fifty_at_a_time(engine: AsyncEngine, tenant_id: UUID) -> None:
    await leads_said(engine, tenant_id, *(f"giá mẫu số {number} bao nhiêu" for number in range(LEADS_PER_PAGE + 3)))
    async with client(engine) as browser:
        first = parsed((await browser.get(f"/?tenant_id={tenant_id}")).text)
        assert part(first, "count") == "53 lead"
        assert part(leads_in(first)[0], "words") == "giá mẫu số 52 bao nhiêu"
        assert len(leads_in(first)) == LEADS_PER_PAGE
        second = parsed((await browser.get(the(first, ".//a[@rel='next']").get("href", ""))).text)
        assert [part(lead, "words") for lead in leads_in(second)] == [f"giá mẫu số {number} bao nhiêu" for number in (2, 1, 0)]
        beyond = await browser.get(f"/?tenant_id={tenant_id}&page=3")
        assert beyond.status_code == 404
        assert the(parsed(beyond.text), ".//main//a").get("href") == f"/?tenant_id={tenant_id}"


@pytest.mark.anyio
async def test_a_filter_shows_its_leads_and_counts_all(engine: AsyncEngine, tenant_id: UUID) -> None:
    opened = await leads_said(engine, tenant_id, "Cho xin báo giá 20 thùng", "gọi lại cho em", "xin demo phần mềm")
    async with tenant_session(engine, tenant_id) as session:
        await session.execute(update(lead_signals).where(lead_signals.c.id == opened[1].id).values(status="won"))
    async with client(engine) as browser:
        page = parsed((await browser.get(f"/?tenant_id={tenant_id}&status=won")).text)
    assert [lead.get("id") for lead in leads_in(page)] == [f"lead-{opened[1].id}"]
    chips = {words_of(link).split()[-1] for link in page.findall(".//nav[@class='chips']//a") if "Tất cả" in words_of(link)}
    assert chips == {"3"}
    assert part(page, "count") == "1 lead · Đã chốt"


@pytest.mark.anyio
async def test_a_follow_up_s_link_shows_its_lead_first(engine: AsyncEngine, tenant_id: UUID) -> None:
    opened = await leads_said(engine, tenant_id, *(f"giá mẫu {number}" for number in range(LEADS_PER_PAGE + 10)))
    async with client(engine) as browser:
        answer = await browser.get(f"/?tenant_id={tenant_id}&lead={opened[0].id}")
        assert answer.status_code == 200
        assert leads_in(parsed(answer.text))[0].get("id") == f"lead-{opened[0].id}"
        missing = await browser.get(f"/?tenant_id={tenant_id}&lead={uuid4()}")
    assert missing.status_code == 404
    assert part(parsed(missing.text), "notice").startswith("Không tìm thấy lead trong liên kết.")
    assert len(leads_in(parsed(missing.text))) == LEADS_PER_PAGE


@pytest.mark.anyio
async def test_a_lead_of_another_tenant_is_not_shown(engine: AsyncEngine, tenant_id: UUID) -> None:
    other = (await onboard_tenant(engine, Onboarding(tenant_name="Hàng Xóm", industry="Khác"))).tenant.id
    (theirs,) = await leads_said(engine, other, "bí mật của hàng xóm, giá bao nhiêu")
    async with client(engine) as browser:
        answer = await browser.get(f"/?tenant_id={tenant_id}&lead={theirs.id}")
    assert answer.status_code == 404
    assert "bí mật" not in answer.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "status", "word"),
    [
        ("tenant_id=x", 422, "tenant_id"),
        ("tenant_id=%00", 422, "tenant_id"),
        ("tenant_id=00000000-0000-0000-0000-000000000000", 404, "Không tìm thấy doanh nghiệp"),
        ("status=new", 422, "status"),
        ("page=0", 422, "page"),
        ("page=-1", 422, "page"),
        ("page=99999999999999999999", 422, "page"),
        ("lead=1", 422, "lead"),
        ("lang=fr", 422, "lang"),
        ("lang=fr&page=x", 422, "lang"),
        ("page=%ff%fe", 422, "page"),
    ],
)
async def test_an_address_that_is_wrong_gets_a_page_that_says_so(engine: AsyncEngine, query: str, status: int, word: str) -> None:
    async with client(engine) as browser:
        answer = await browser.get(f"/?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    main = the(parsed(answer.text), ".//main")
    assert word in words_of(main)
    assert the(main, ".//a").get("href") == "/"


@pytest.mark.anyio
async def test_the_language_is_chosen_once_and_remembered(engine: AsyncEngine, tenant_id: UUID) -> None:
    async with client(engine) as browser:
        plain = await browser.get(f"/?tenant_id={tenant_id}")
        assert parsed(plain.text).get("lang") == "vi"
        assert "set-cookie" not in plain.headers
        english = parsed(plain.text).findall(".//nav[@class='languages']/a")[1].get("href", "")
        chosen = await browser.get(english)
        assert parsed(chosen.text).get("lang") == "en"
        assert {"httponly", "samesite=lax", "path=/"} <= set(chosen.headers["set-cookie"].lower().split("; "))
        assert parsed((await browser.get(f"/?tenant_id={tenant_id}")).text).get("lang") == "en"
        assert parsed((await browser.get("/?page=x")).text).get("lang") == "en"
    async with client(engine, cookies={LANGUAGE_COOKIE: "xx"}) as browser:
        assert parsed((await browser.get(f"/?tenant_id={tenant_id}")).text).get("lang") == "vi"


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["x';id;'", "a$(id)", 'a"b', "a b"])
async def test_an_odd_host_header_never_reaches_a_command(engine: AsyncEngine, tenant_id: UUID, host: str) -> None:
    async with client(engine, headers={"Host": host}) as browser:
        answer = await browser.get(f"/?tenant_id={tenant_id}")
    command = words_of(the(parsed(answer.text), ".//pre"))
    # The framework already puts the server's own name in the place of some of these.
    assert re.match(r"curl -X POST http://(localhost|console\.example):8000/webhooks/facebook ", command)
    assert host not in command


Rendering = Callable[..., str]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("rendering", "query"),
    [
        ("render_leads", "tenant_id={tenant_id}"),
        ("render_notice", "tenant_id={tenant_id}&page=9"),
        ("render_notice", "tenant_id=00000000-0000-0000-0000-000000000000"),
        ("render_notice", "status=x"),
        ("render_no_tenants", ""),
        ("render_tenant_list", ""),
    ],
)
async def test_every_page_is_written_in_another_thread_than_the_loop_s(
    lonely_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, rendering: str, query: str
) -> None:
    count = {"render_no_tenants": 0, "render_tenant_list": 2}.get(rendering, 1)
    names = [Onboarding(tenant_name=f"Tiệm {number}", industry="Khác") for number in range(count)]
    ids = [(await onboard_tenant(lonely_engine, name)).tenant.id for name in names]
    threads: list[int] = []
    render: Rendering = getattr(pages_module, rendering)

    def noted(*given: Any) -> str:
        threads.append(threading.get_ident())
        return render(*given)

    monkeypatch.setattr(pages_module, rendering, noted)
    async with client(lonely_engine) as browser:
        await browser.get("/?" + query.format(tenant_id=ids[0] if ids else ""))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


@pytest.mark.anyio
async def test_the_loop_goes_on_while_a_page_is_written_and_one_page_is_written_at_a_time(
    engine: AsyncEngine, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is held up until the loop lets it go on: had the loop to wait for it, it would never."""
    loop, begun, let_go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    at_once: list[int] = []
    being_written = 0

    def held_up(*given: Any) -> str:
        nonlocal being_written
        being_written += 1
        at_once.append(being_written)
        loop.call_soon_threadsafe(begun.set)
        assert let_go.wait(30), "the event loop waited for the page"
        being_written -= 1
        return render_leads(*given)

    monkeypatch.setattr(pages_module, "render_leads", held_up)
    async with client(engine) as browser:
        pages = [asyncio.create_task(browser.get(f"/?tenant_id={tenant_id}")) for _ in range(3)]
        await asyncio.wait_for(begun.wait(), 30)
        (opened,) = await leads_said(engine, tenant_id, "Cho xin báo giá 20 thùng")
        assert not any(page.done() for page in pages)
        let_go.set()
        answers = await asyncio.gather(*pages)
    assert opened.id
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert at_once == [1, 1, 1]


@pytest.mark.anyio
async def test_head_is_answered_like_get(engine: AsyncEngine, tenant_id: UUID) -> None:
    async with client(engine) as browser:
        assert (await browser.head(f"/?tenant_id={tenant_id}")).status_code == 200
