"""`GET /`: the console's first page, a tenant's leads, newest first. For the operator of the installation.

The database is asked on the event loop, the page written in a thread: a page of fifty long comments takes as long as hundreds of
deliveries, and those never wait for a page.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.clock import now
from lead_signals.leads.changed_lead import edits_of
from lead_signals.leads.lead_list import count_by_status, find_lead, list_leads
from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, BadParameter, LeadPageAddress, read_address
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.leads.message_versions import versions_of_leads
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads, render_no_tenants, render_notice, render_tenant_list
from lead_signals.leads.rule_names import OwnNames, OwnNamesOf, no_own_names
from lead_signals.leads.shown_edits import EARLIER_CHARACTERS, MOST_EARLIER
from lead_signals.page_frame.language import (
    LANGUAGE_COOKIE,
    LANGUAGE_COOKIE_SECONDS,
    UnknownLanguage,
    chosen_language,
    remembered_language,
)
from lead_signals.tenancy.tenant import Tenant, list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

_SAFE_BASE_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}")


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that only has to be written; `write` needs no database and no event loop."""

    write: Callable[[], str]
    status: int = 200


def lead_pages(engine: AsyncEngine, own_names_of: OwnNamesOf = no_own_names) -> APIRouter:
    """`GET /`. Bad parameters and unknown tenants get a page that says so, with status 422 and 404.

    `own_names_of` knows how a tenant calls its own rules in Vietnamese.
    """
    router = APIRouter(include_in_schema=False)
    # One page at a time: Python runs one thread at a time anyway, and each further one would take its turn before the event loop's.
    one_at_a_time = asyncio.Lock()

    async def written(page: _Page) -> Response:
        async with one_at_a_time:
            html = await asyncio.to_thread(page.write)
        return HTMLResponse(html, status_code=page.status)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def leads_page(request: Request) -> Response:
        try:
            reader, address = _read(request)
        except BadParameter as bad:
            return await written(_bad_parameter(request, bad.parameter))
        answer = await written(await _page(engine, address, reader, own_names_of))
        if request.query_params.get("lang"):
            answer.set_cookie(
                LANGUAGE_COOKIE,
                reader.language.value,
                max_age=LANGUAGE_COOKIE_SECONDS,
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return answer

    return router


def _read(request: Request) -> tuple[Reader, LeadPageAddress]:
    try:
        language = chosen_language(request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    except UnknownLanguage:
        raise BadParameter("lang") from None
    return Reader(language, now(), _base_url(request)), read_address(request.query_params)


def _base_url(request: Request) -> str:
    """Where this person reaches us. It goes into a command to paste into a shell, so anything odd in the Host header is left out."""
    base_url = str(request.base_url).rstrip("/")
    return base_url if _SAFE_BASE_URL.fullmatch(base_url) else "http://localhost:8000"


def _bad_parameter(request: Request, parameter: str) -> _Page:
    asked, kept = request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)
    try:
        language = chosen_language(asked, kept)
    except UnknownLanguage:
        language = remembered_language(kept)
    words = LEAD_WORDS[language]
    reader = Reader(language, now(), _base_url(request))
    sentence, way_out = words.bad_parameter[parameter], (words.to_start, "/")
    return _Page(partial(render_notice, words.bad_address_heading, sentence, way_out, LeadPageAddress(), reader), 422)


async def _page(engine: AsyncEngine, address: LeadPageAddress, reader: Reader, own_names_of: OwnNamesOf) -> _Page:
    words = LEAD_WORDS[reader.language]
    async with across_tenants_session(engine) as session:
        tenants = await list_tenants(session)
    if address.tenant_id is None and len(tenants) == 1:
        address = address.of_tenant(tenants[0].id)
    if address.tenant_id is None:
        return _Page(partial(render_tenant_list, tenants, address, reader) if tenants else partial(render_no_tenants, address, reader))
    tenant = next((tenant for tenant in tenants if tenant.id == address.tenant_id), None)
    if tenant is None:
        way_out = (words.to_start, "/")
        return _Page(partial(render_notice, words.unknown_tenant_heading, words.unknown_tenant, way_out, LeadPageAddress(), reader), 404)
    return await _leads_of(engine, tenant, tenants, address, reader, own_names=own_names_of(tenant.id))


async def _leads_of(
    engine: AsyncEngine, tenant: Tenant, tenants: Sequence[Tenant], address: LeadPageAddress, reader: Reader, *, own_names: OwnNames
) -> _Page:
    async with tenant_session(engine, tenant.id) as session:
        counts = await count_by_status(session, tenant.id)
        page = await list_leads(session, tenant.id, status=address.status, limit=LEADS_PER_PAGE, offset=address.offset)
        linked = None if address.lead_id is None else await find_lead(session, tenant.id, address.lead_id)
        edited = [lead for lead in (*page.leads, linked) if lead is not None and edits_of(lead)]
        # One character more than is shown tells that a text goes on.
        versions = await versions_of_leads(session, tenant.id, edited, most_edits=MOST_EARLIER, most_characters=EARLIER_CHARACTERS + 1)
    if not page.leads and address.page > 1:
        words = LEAD_WORDS[reader.language]
        way_out = (words.to_first_page, address.at_page(1))
        return _Page(partial(render_notice, words.no_such_page_heading, words.no_such_page, way_out, address, reader), 404)
    seen = TenantLeads(tenant, tenants, page, counts, linked, versions, own_names)
    return _Page(partial(render_leads, seen, address, reader), 404 if address.lead_id is not None and linked is None else 200)
