"""The lead page in a real browser: laid out, read, pressed and tabbed through, on a desk and on a phone, in light and dark."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import uuid4

import pytest

from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.leads.lead_list import Lead, LeadPage
from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, LeadPageAddress
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads, render_no_tenants, render_notice, render_tenant_list
from lead_signals.page_frame.language import Language
from tests.browser.chromium import CHROMIUM, Tab, Window, chromium_tab
from tests.browser.served_pages import served_pages
from tests.leads.hostile_texts import HOSTILE_TEXTS
from tests.leads.sample_leads import NOW, OTHER_TENANT, TENANT, edited_lead, morning_inbox, sample_lead

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on this machine")

DESK = Window(1440, 900)
PHONE = Window(390, 844, touch=True)
READER = Reader(Language.VI, NOW, "http://127.0.0.1:8000")
HERE = LeadPageAddress(tenant_id=TENANT.id)
totals = {"leads": 200}


def leads_page(leads: Sequence[Lead], reader: Reader = READER, linked: Lead | None = None, most: int = LEADS_PER_PAGE) -> str:
    counts = Counter(lead.status for lead in leads)
    seen = TenantLeads(TENANT, [TENANT, OTHER_TENANT], LeadPage(leads[:most], len(leads)), counts, linked)
    return render_leads(seen, HERE if linked is None else replace(HERE, lead_id=linked.id), reader)


def in_every_status() -> list[Lead]:
    return [sample_lead(number, status=status.value) for number, status in enumerate(LeadStatus)]


def in_every_word() -> list[Lead]:
    """Every status beside every intent, both lines of numbers at their longest."""
    pairs = [(status, label) for status in LeadStatus for label in IntentLabel]
    return [
        sample_lead(number, status=status.value, intent_label=label.value, priority=Priority.MEDIUM.value, confidence_score=1.0)
        for number, (status, label) in enumerate(pairs)
    ]


def hostile_leads() -> list[Lead]:
    long_ones = ["W" * 3000, "\n".join("dòng" for _ in range(60)), "\u202e" * 5000]
    return [sample_lead(number, text=text, name=text[:512]) for number, text in enumerate([*HOSTILE_TEXTS, *long_ones])]


def changed_page() -> str:
    """Leads that were edited, hidden and taken back; what they said before is hostile, long, and nothing at all."""
    edits = [
        edited_lead(number, text, "", "W" * 3000, "Báo giá giúp em", status=status.value, meta={"hidden": True, "removed_at": "2026"})
        for number, (text, status) in enumerate(zip(HOSTILE_TEXTS, [*LeadStatus, *LeadStatus], strict=False))
    ]
    seen = TenantLeads(TENANT, [TENANT], LeadPage([lead for lead, _ in edits], len(edits)), {}, versions={e.id: some for e, some in edits})
    return render_leads(seen, HERE, READER)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    several = [replace(TENANT, id=uuid4(), name=f"Doanh nghiệp có tên rất dài số {number} " * 3) for number in range(8)]
    pages = {
        "/inbox": leads_page(morning_inbox()),
        "/english": leads_page(morning_inbox(), replace(READER, language=Language.EN)),
        "/statuses": leads_page(in_every_status(), linked=sample_lead(18)),
        "/hostile": leads_page(hostile_leads()),
        "/changed": changed_page(),
        "/words-vi": leads_page(in_every_word(), most=len(in_every_word())),
        "/words-en": leads_page(in_every_word(), replace(READER, language=Language.EN), most=len(in_every_word())),
        "/empty": leads_page([]),
        "/none": render_no_tenants(LeadPageAddress(), READER),
        "/tenants": render_tenant_list(several, LeadPageAddress(), READER),
        "/notice": render_notice("Địa chỉ trang chưa đúng", "page phải là số trang.", ("Về trang chính", "/"), LeadPageAddress(), READER),
    }
    with served_pages({path: html.encode("utf-8", "replace").decode() for path, html in pages.items()}, totals) as address:
        yield address


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    with chromium_tab() as opened:
        yield opened


PAGES = ["/inbox", "/english", "/statuses", "/hostile", "/changed", "/empty", "/none", "/tenants", "/notice"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_nothing_scrolls_sideways(tab: Tab, base: str, page: str, width: int) -> None:
    tab.open(base + page, Window(width, 900, touch=width < 500))
    assert tab.evaluate("innerWidth") == width
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    outside = tab.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => { const r = e.getBoundingClientRect();"
        " return r.width > 1 && r.right > innerWidth + 1 && getComputedStyle(e).position !== 'absolute'"
        " && !e.closest('.said, .who h3, .place'); })"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert outside == []


@pytest.mark.parametrize("page", ["/words-vi", "/words-en"])
@pytest.mark.parametrize("width", [1024, 1440])
def test_no_verdict_breaks_into_two_lines(tab: Tab, base: str, page: str, width: int) -> None:
    """Any status beside any intent, in the column on the right."""
    tab.open(base + page, Window(width, 900))
    assert tab.evaluate("document.querySelectorAll('.verdict > li').length") == 4 * len(LeadStatus) * len(IntentLabel)
    broken = tab.evaluate(
        "(() => { const words = document.createRange(); return [...document.querySelectorAll('.verdict > li')].filter(e => {"
        " words.selectNodeContents(e); return new Set([...words.getClientRects()].map(r => Math.round(r.top))).size > 1; })"
        ".map(e => e.parentElement.innerText.replaceAll('\\n', ' | ')); })()"
    )
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_what_is_pressed_on_a_phone_is_large_enough(tab: Tab, base: str, page: str) -> None:
    tab.open(base + page, PHONE)
    small = tab.evaluate(
        "[...document.querySelectorAll('a, button, select, summary')].map(e => [e, e.getBoundingClientRect()])"
        ".filter(([e, r]) => r.bottom > 0 && (r.height < 43.9 || r.width < 43.9) && e.checkVisibility())"
        ".filter(([e]) => !e.matches('.long > summary') || e.querySelector('.more').getBoundingClientRect().height < 43.9)"
        ".map(([e, r]) => `${e.outerHTML.slice(0, 100)} ${r.width}x${r.height}`)"
    )
    assert small == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_can_be_read_against_its_ground(tab: Tab, base: str, page: str, dark: bool) -> None:
    """WCAG AA as painted: each text node's colour against the first ground behind it."""
    tab.open(base + page, DESK, dark=dark)
    tab.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true })")
    assert tab.evaluate(POOR_CONTRAST) == []
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == ("rgb(16, 22, 27)" if dark else "rgb(243, 245, 247)")


POOR_CONTRAST = """(() => {
  const channels = (colour) => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = channels(getComputedStyle(e).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    throw new Error("no ground");
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility() || element.tagName === "OPTION") continue;
    const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => a - b);
    const ratio = (other + 0.05) / (one + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return poor;
})()"""


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_refused_and_nothing_comes_from_elsewhere(tab: Tab, base: str, page: str) -> None:
    tab.open(base + page, DESK)
    fetched = tab.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert any("/static/style." in address for address in fetched)
    assert [address for address in fetched if not address.startswith(base + "/")] == []
    assert tab.console == []


def test_a_stranger_s_text_runs_nothing(tab: Tab, base: str) -> None:
    tab.open(base + "/hostile", DESK)
    assert tab.evaluate("[...document.scripts].map(script => new URL(script.src).pathname.split('.')[0])") == ["/static/new_rows"]
    assert tab.evaluate("document.querySelectorAll('main img, main iframe, main svg, main style, main meta, main base').length") == 0
    assert tab.evaluate("document.querySelectorAll('.lead').length") == len(hostile_leads())


def test_stacked_marks_stay_inside_their_own_lead(tab: Tab, base: str) -> None:
    tab.open(base + "/hostile", PHONE)
    assert tab.evaluate("[...document.querySelectorAll('.said')].every(e => getComputedStyle(e).overflowX === 'clip')") is True


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_is_tabbed_through_with_a_visible_focus(tab: Tab, base: str, size: Window) -> None:
    tab.open(base + "/inbox", size)
    seen = []
    for _ in range(24):
        tab.press("Tab")
        focused = tab.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();"
            " return { what: e.className || e.id || e.tagName, ring: s.outlineStyle === 'solid' && parseFloat(s.outlineWidth) >= 2,"
            " shown: r.width > 0 && r.bottom > 0 && r.top < innerHeight }; })()"
        )
        assert focused["ring"], focused
        assert focused["shown"], focused
        seen.append(focused["what"])
    assert seen[:4] == ["skip", "product", "switcher", "BUTTON"]


def test_the_first_key_skips_to_the_leads(tab: Tab, base: str) -> None:
    tab.open(base + "/inbox", DESK)
    tab.press("Tab")
    tab.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"


def test_a_long_text_opens_without_scripts(tab: Tab, base: str) -> None:
    tab.open(base + "/inbox", DESK, scripts=False)
    text = "Shop ơi cho mình hỏi với."
    assert tab.evaluate("document.querySelector('.long .excerpt').innerText").startswith(text)
    tab.evaluate("document.querySelector('.long > summary').focus()")
    tab.press("Enter")
    assert tab.evaluate("document.querySelector('.long').open") is True
    assert tab.evaluate("document.querySelector('.long > p').innerText").endswith("số mình là 0933 222 110.")
    assert tab.evaluate("document.querySelector('.long .excerpt').checkVisibility()") is False


@pytest.mark.parametrize(("page", "one", "three"), [
    ("/inbox", "Có 1 lead mới, bấm để xem", "Có 3 lead mới, bấm để xem"),
    ("/english", "1 new lead, press to see it", "3 new leads, press to see them"),
])  # fmt: skip
def test_new_leads_are_announced(tab: Tab, base: str, page: str, one: str, three: str) -> None:
    totals["leads"] = 200
    tab.open(base + page, DESK)
    assert tab.evaluate("document.querySelector('.news').innerText") == ""
    for total, words in ((201, one), (203, three)):
        totals["leads"] = total
        assert (
            tab.evaluate(
                "new Promise(told => { const news = document.querySelector('.news');"
                " new MutationObserver(() => told(news.innerText)).observe(news, { childList: true });"
                " document.dispatchEvent(new Event('visibilitychange')); })"
            )
            == words
        )
    assert tab.evaluate("document.title").startswith("(3) 200 lead")
    assert tab.evaluate("document.querySelector('.news').getAttribute('role')") == "status"
