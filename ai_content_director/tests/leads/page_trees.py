"""Pages as a browser's parser sees them, to compare what text may never change: elements and their attributes."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID
from xml.etree import ElementTree

import html5lib

from lead_signals.leads.lead_list import Lead, LeadPage
from lead_signals.leads.lead_page_address import LeadPageAddress
from lead_signals.leads.message_versions import Version
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads
from lead_signals.page_frame.language import Language
from lead_signals.tenancy.tenant import Tenant
from tests.leads.sample_leads import NOW, TENANT

READER = Reader(Language.VI, NOW, "http://127.0.0.1:8000")

_MARK_OF_UNSEEN = re.compile(r"U\+[0-9A-F]{4,6}( ×[0-9]+)?")

Tree = tuple[str, tuple[tuple[str, str], ...], tuple["Tree", ...]]


def rendered(
    leads: Sequence[Lead], tenant: Tenant = TENANT, versions: Mapping[UUID, Sequence[Version]] | None = None, reader: Reader = READER
) -> str:
    """The page of these leads; `versions` are the texts of those that were edited."""
    seen = TenantLeads(tenant, [tenant], LeadPage(leads, len(leads)), {"new_auto": len(leads)}, versions=versions or {})
    return render_leads(seen, LeadPageAddress(tenant_id=tenant.id), reader)


def parsed(html: str) -> ElementTree.Element:
    """The document, parsed as browsers do."""
    document: ElementTree.Element = html5lib.parse(html, namespaceHTMLElements=False)
    return document


def leads_in(document: ElementTree.Element) -> list[ElementTree.Element]:
    """Each lead's element, in the order of the page."""
    return document.findall(".//ol[@class='leads']/li")


def the(element: ElementTree.Element, path: str) -> ElementTree.Element:
    """The first element at this path; it has to be there."""
    found = element.find(path)
    assert found is not None, f"no {path}"
    return found


def shape(element: ElementTree.Element) -> Tree:
    """Tags and attributes of an element and all below it; marks of unseen characters are left out, when they are exactly that."""
    return (
        str(element.tag),
        tuple(sorted(element.attrib.items())),
        tuple(shape(child) for child in element if not _is_mark_of_unseen(child)),
    )


def words_of(element: ElementTree.Element) -> str:
    """All text in it."""
    return "".join(element.itertext())


def _is_mark_of_unseen(element: ElementTree.Element) -> bool:
    return (
        element.tag == "code"
        and set(element.attrib) == {"class", "title"}
        and element.get("class") == "unseen"
        and element.get("title") == "Ký tự ẩn trong nội dung gốc"
        and len(element) == 0
        and _MARK_OF_UNSEEN.fullmatch(element.text or "") is not None
    )
