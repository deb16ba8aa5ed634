"""The lead page's HTML from plain values: no database, no request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from jinja2 import Environment

from lead_signals.leads.lead_list import Lead, LeadPage
from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, LeadPageAddress
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.lead_words import LEAD_WORDS, leads_counted
from lead_signals.leads.message_versions import Version
from lead_signals.leads.rule_names import OwnNames
from lead_signals.leads.shown_lead import ShownLead, show_lead
from lead_signals.page_frame.language import Language, written_number
from lead_signals.page_frame.render_page import Choice, Frame, Switcher, page_templates, render_page
from lead_signals.page_frame.shown_moment import show_date
from lead_signals.tenancy.tenant import Tenant

ALWAYS_SHOWN: Final = (LeadStatus.NEW_AUTO, LeadStatus.NEW_DRAFT, LeadStatus.NEW_ESCALATE)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: their language, the moment, and the address they reach us at (for commands to paste)."""

    language: Language
    now: datetime
    base_url: str


@dataclass(frozen=True, slots=True)
class TenantLeads:
    """What was read for one page: the tenant, all tenants to switch to, some leads, the counts by status, the linked lead if found.

    `versions` are the texts of those leads that were edited, newest last; `own_names` the Vietnamese names of the tenant's own rules.
    """

    tenant: Tenant
    tenants: Sequence[Tenant]
    page: LeadPage
    counts: Mapping[str, int]
    linked: Lead | None = None
    versions: Mapping[UUID, Sequence[Version]] = field(default_factory=dict)
    own_names: OwnNames = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter: its word, how many leads it holds, where it leads."""

    style: str
    word: str
    count: str
    address: str
    is_chosen: bool


def render_leads(seen: TenantLeads, address: LeadPageAddress, reader: Reader) -> str:
    """A tenant's leads. The lead that the address names stands once, on top."""
    tenant, page, linked = seen.tenant, seen.page, seen.linked
    language, words = reader.language, LEAD_WORDS[reader.language]
    shown = [_shown(lead, seen, reader) for lead in page.leads if linked is None or lead.id != linked.id]
    counted = leads_counted(page.total, written_number(page.total, language), language)
    return render_page(
        _templates(),
        "leads/leads.html",
        _frame(f"{counted} · {tenant.name}", address, reader, tenant=tenant, tenants=seen.tenants),
        words=words,
        tenant=tenant,
        counted=counted,
        chips=_chips(address, seen.counts, language),
        status_word=None if address.status is None else words.statuses[address.status],
        linked=None if linked is None else _shown(linked, seen, reader),
        linked_is_missing=address.lead_id is not None and linked is None,
        days=[(day, list(leads)) for day, leads in groupby(shown, key=lambda lead: lead.day)],
        is_empty=not page.leads and linked is None,
        all_address=address.in_status(None),
        range_shown=_range_shown(address, page, language),
        newer=address.at_page(address.page - 1) if address.page > 1 else None,
        older=address.at_page(address.page + 1) if address.offset + LEADS_PER_PAGE < page.total else None,
        watch_address=_watch_address(tenant.id, address) if address.page == 1 else None,
        watch_total=page.total,
        command=_comment_command(tenant.id, reader),
    )


def _shown(lead: Lead, seen: TenantLeads, reader: Reader) -> ShownLead:
    return show_lead(lead, reader.now, reader.language, seen.versions.get(lead.id, ()), seen.own_names)


def render_tenant_list(tenants: Sequence[Tenant], address: LeadPageAddress, reader: Reader) -> str:
    """Several tenants, and none was named: a list to choose from."""
    words = LEAD_WORDS[reader.language]
    names = _names(tenants)
    return render_page(
        _templates(),
        "leads/tenants.html",
        _frame(words.choose_tenant, address, reader),
        words=words,
        how=words.choose_tenant_how.format(count=written_number(len(tenants), reader.language)),
        entries=[
            (
                address.of_tenant(tenant.id).written(),
                names[tenant.id],
                tenant.industry,
                words.since.format(day=show_date(tenant.created_at, reader.language)),
            )
            for tenant in tenants
        ],
    )


def render_no_tenants(address: LeadPageAddress, reader: Reader) -> str:
    """A fresh installation: how to begin."""
    words = LEAD_WORDS[reader.language]
    return render_page(
        _templates(),
        "leads/no_tenants.html",
        _frame(words.no_tenant_heading, address, reader),
        words=words,
        command=_onboarding_command(reader),
    )


def render_notice(heading: str, sentence: str, next_step: tuple[str, str], address: LeadPageAddress, reader: Reader) -> str:
    """A page that says what is wrong; `next_step` is (words, address) of the way out."""
    next_words, next_address = next_step
    return render_page(
        _templates(),
        "page_frame/notice_page.html",
        _frame(heading, address, reader),
        heading=heading,
        sentence=sentence,
        next_words=next_words,
        next_address=next_address,
    )


@cache
def _templates() -> Environment:
    return page_templates(Path(__file__).parent / "templates")


def _frame(title: str, address: LeadPageAddress, reader: Reader, *, tenant: Tenant | None = None, tenants: Sequence[Tenant] = ()) -> Frame:
    return Frame(
        title=title,
        language=reader.language,
        language_addresses={language: address.written(language) for language in Language},
        switcher=_switcher(tenant, tenants, reader.language) if tenant is not None and len(tenants) > 1 else None,
        place=None if tenant is None else tenant.name,
    )


def _switcher(tenant: Tenant, tenants: Sequence[Tenant], language: Language) -> Switcher:
    words, names = LEAD_WORDS[language], _names(tenants)
    choices = [Choice(str(other.id), names[other.id], other.id == tenant.id) for other in tenants]
    return Switcher(words.tenant, words.switch_tenant, "tenant_id", choices)


def _names(tenants: Sequence[Tenant]) -> dict[UUID, str]:
    """The name of each; two of the same name also show the end of their id."""
    seen = [tenant.name for tenant in tenants]
    return {tenant.id: tenant.name if seen.count(tenant.name) == 1 else f"{tenant.name} (…{str(tenant.id)[-6:]})" for tenant in tenants}


def _chips(address: LeadPageAddress, counts: Mapping[str, int], language: Language) -> list[Chip]:
    words = LEAD_WORDS[language]
    statuses = [status for status in LeadStatus if status in ALWAYS_SHOWN or counts.get(status.value) or status is address.status]
    all_leads = Chip(
        "all", words.all_statuses, written_number(sum(counts.values()), language), address.in_status(None), address.status is None
    )
    return [
        all_leads,
        *(
            Chip(
                status.value,
                words.statuses[status],
                written_number(counts.get(status.value, 0), language),
                address.in_status(status),
                status is address.status,
            )
            for status in statuses
        ),
    ]


def _range_shown(address: LeadPageAddress, page: LeadPage, language: Language) -> str | None:
    if page.total <= LEADS_PER_PAGE:
        return None
    first, last, total = (written_number(number, language) for number in (address.offset + 1, address.offset + len(page.leads), page.total))
    return LEAD_WORDS[language].range_shown.format(first=first, last=last, total=total)


def _watch_address(tenant_id: UUID, address: LeadPageAddress) -> str:
    """What the page's script asks again and again: the API's `total` under the same filter."""
    status = {} if address.status is None else {"status": address.status.value}
    return "/api/leads?" + urlencode({"tenant_id": tenant_id, **status, "limit": 1})


def _onboarding_command(reader: Reader) -> str:
    body = json.dumps(LEAD_WORDS[reader.language].sample_onboarding, ensure_ascii=False)
    return f"curl -X POST {reader.base_url}/onboarding \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def _comment_command(tenant_id: UUID, reader: Reader) -> str:
    words = LEAD_WORDS[reader.language]
    comment = {"message": words.sample_comment, "sender_name": words.sample_author, "sender_id": "u1", "post_id": "p1", "comment_id": "c1"}
    body = json.dumps({"object": "page", "entry": [comment]}, ensure_ascii=False)
    return (
        f"curl -X POST {reader.base_url}/webhooks/facebook \\\n  -H 'Content-Type: application/json' \\\n"
        f"  -H 'X-Tenant-ID: {tenant_id}' \\\n  -d '{body}'"
    )
