"""`GET /`: the console's first page, a tenant's leads, newest first. For the operator of the installation."""

import re
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.clock import now
from lead_signals.leads.lead_list import count_by_status, find_lead, list_leads
from lead_signals.leads.lead_page_address import LEADS_PER_PAGE, BadParameter, LeadPageAddress, read_address
from lead_signals.leads.lead_words import LEAD_WORDS
from lead_signals.leads.render_leads import Reader, TenantLeads, render_leads, render_no_tenants, render_notice, render_tenant_list
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


def lead_pages(engine: AsyncEngine) -> APIRouter:
    """`GET /`. Bad parameters and unknown tenants get a page that says so, with status 422 and 404."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def leads_page(request: Request) -> Response:
        try:
            reader, address = _read(request)
        except BadParameter as bad:
            return _bad_parameter(request, bad.parameter)
        answer = await _answer(engine, address, reader)
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


def _bad_parameter(request: Request, parameter: str) -> Response:
    asked, kept = request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)
    try:
        language = chosen_language(asked, kept)
    except UnknownLanguage:
        language = remembered_language(kept)
    words = LEAD_WORDS[language]
    reader = Reader(language, now(), _base_url(request))
    html = render_notice(words.bad_address_heading, words.bad_parameter[parameter], (words.to_start, "/"), LeadPageAddress(), reader)
    return HTMLResponse(html, status_code=422)


async def _answer(engine: AsyncEngine, address: LeadPageAddress, reader: Reader) -> Response:
    words = LEAD_WORDS[reader.language]
    async with across_tenants_session(engine) as session:
        tenants = await list_tenants(session)
    if address.tenant_id is None and len(tenants) == 1:
        address = address.of_tenant(tenants[0].id)
    if address.tenant_id is None:
        return HTMLResponse(render_tenant_list(tenants, address, reader) if tenants else render_no_tenants(address, reader))
    tenant = next((tenant for tenant in tenants if tenant.id == address.tenant_id), None)
    if tenant is None:
        notice = render_notice(words.unknown_tenant_heading, words.unknown_tenant, (words.to_start, "/"), LeadPageAddress(), reader)
        return HTMLResponse(notice, status_code=404)
    return await _leads_of(engine, tenant, tenants, address, reader)


async def _leads_of(engine: AsyncEngine, tenant: Tenant, tenants: Sequence[Tenant], address: LeadPageAddress, reader: Reader) -> Response:
    async with tenant_session(engine, tenant.id) as session:
        counts = await count_by_status(session, tenant.id)
        page = await list_leads(session, tenant.id, status=address.status, limit=LEADS_PER_PAGE, offset=address.offset)
        linked = None if address.lead_id is None else await find_lead(session, tenant.id, address.lead_id)
    if not page.leads and address.page > 1:
        words = LEAD_WORDS[reader.language]
        way_out = (words.to_first_page, address.at_page(1))
        return HTMLResponse(render_notice(words.no_such_page_heading, words.no_such_page, way_out, address, reader), status_code=404)
    html = render_leads(TenantLeads(tenant, tenants, page, counts, linked), address, reader)
    return HTMLResponse(html, status_code=404 if address.lead_id is not None and linked is None else 200)
