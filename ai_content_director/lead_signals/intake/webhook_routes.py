"""The entrance for platforms: raw bytes, proof, strict reading, one transaction, and only then a 200."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException

from lead_signals import clock
from lead_signals.intake.admission import Admission
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.group_commit import GroupCommit
from lead_signals.intake.intake_metrics import ADMIT_SECONDS, DELIVERIES, UNKNOWN_PAGES, count_admissions
from lead_signals.intake.large_bodies import LargeBodies
from lead_signals.intake.prepare import Prepared, prepare
from lead_signals.intake.prove_sender import Sender, admit_sender, prove_signature
from lead_signals.intake.route_delivery import Incoming, RoutedDelivery, TenantIdSource, named_tenant
from lead_signals.json_body import JsonObject, MalformedBody, parse_json_body
from lead_signals.log_context import get_logger
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.meta.handshake import Challenge, answer_handshake
from lead_signals.request_body import LARGE_BODY_BYTES, RefusedRequest, read_raw_body
from lead_signals.settings import Settings
from lead_signals.tenancy.operator_access import refuse_other_sites

log = get_logger(__name__)

KEY_LOOK_UPS_AT_ONCE = 4
ITEMS_LIMIT = 1000  # what Meta puts into one delivery at most; 350,000 empty items fit into 1 MiB


class _PlainRoute(APIRoute):
    """A route that is told in OpenAPI and hands the request over as it is: a delivery needs nothing of what FastAPI reads for others."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint


def webhook_routes(engine: AsyncEngine, settings: Settings, commits: GroupCommit) -> APIRouter:
    """`POST /webhooks/<platform>` for every platform of the catalogue, and `GET` for those that ask before they deliver."""
    router = APIRouter(tags=["webhooks"], route_class=_PlainRoute)
    door = _Door(engine, settings, commits, asyncio.Semaphore(KEY_LOOK_UPS_AT_ONCE), LargeBodies())
    for platform, adapter in ADAPTERS.items():
        path = f"/webhooks/{platform}"
        if adapter.answers_handshake:
            router.add_api_route(path, partial(_answer_handshake, platform, settings), methods=["GET"], **_handshake_docs(platform))
        receive = partial(_receive_or_refuse, door, platform)
        router.add_api_route(path, receive, methods=["POST"], **_delivery_docs(adapter))
    return router


async def _answer_handshake(platform: str, settings: Settings, request: Request) -> Response:
    said = request.query_params  # PHP and some proxies turn the dots of a name into underscores
    mode, token, challenge = (said.get(f"hub.{name}", said.get(f"hub_{name}")) for name in ("mode", "verify_token", "challenge"))
    expected = None if settings.facebook_verify_token is None else settings.facebook_verify_token.get_secret_value()
    answer = answer_handshake(mode, token, challenge, expected)
    if isinstance(answer, Challenge):
        return PlainTextResponse(answer.text)
    log.warning("handshake_refused", platform=platform, reason=answer.value)
    return PlainTextResponse(f"Handshake refused: {answer.value}.", status_code=403)


@dataclass(frozen=True, slots=True)
class _Door:
    """What every delivery needs on its way in."""

    engine: AsyncEngine
    settings: Settings
    commits: GroupCommit
    key_look_ups: asyncio.Semaphore
    large_bodies: LargeBodies


async def _receive_or_refuse(door: _Door, platform: str, request: Request) -> Response:
    try:
        refuse_other_sites(request)
        sender = await admit_sender(request, ADAPTERS[platform], door.engine, door.settings, door.key_look_ups)
        return await _receive(request, ADAPTERS[platform], sender, door)
    except RefusedRequest as refused:
        DELIVERIES.labels(platform, refused.reason).inc()
        log.warning("delivery_refused", platform=platform, status=refused.status, reason=refused.reason)
        headers = _REFUSAL_HEADERS.get(refused.reason) or _REFUSAL_HEADERS.get(refused.status)
        if headers:
            raise HTTPException(refused.status, refused.sentence, headers=headers) from None
        raise


_REFUSAL_HEADERS: dict[int | str, dict[str, str]] = {
    408: {"Connection": "close"},  # the rest of the body may go on trickling in
    503: {"Retry-After": "300"},
    "line_full": {"Retry-After": "5"},
    "ending": {"Retry-After": "5"},
    "held_up": {"Retry-After": "5"},
}


async def _receive(request: Request, adapter: Adapter, sender: Sender | None, door: _Door) -> Response:
    """`sender` is None when the signature has yet to prove who it is."""
    async with door.large_bodies.visit(None if sender is None else sender.tenant_id) as take_room:
        raw_body = await read_raw_body(request, take_room)
        with ADMIT_SECONDS.labels(adapter.platform).time():
            if sender is None:
                sender = prove_signature(request, raw_body, adapter, door.settings.webhook_secrets(adapter.platform))
            body, prepared = await _understand_in_turn(request, raw_body, adapter, sender, door)
            named = _tenant_of(sender, request.headers.getlist("x-tenant-id"), body)
            delivery, admissions = await door.commits.admit(Incoming(adapter, raw_body, body, prepared, named, sender.signed))
    _tell(delivery, admissions)
    lead_ids = [str(lead_id) for admission in admissions for lead_id in admission.lead_ids]
    return Response(orjson.dumps({"ok": True, "created": len(lead_ids), "lead_ids": lead_ids}), media_type="application/json")


async def _understand_in_turn(
    request: Request, raw_body: bytes, adapter: Adapter, sender: Sender, door: _Door
) -> tuple[JsonObject, Prepared]:
    """What the body says; a large one waits until the sender's other large ones are done, and is left unread when the sender has gone."""
    if len(raw_body) <= LARGE_BODY_BYTES:
        return _understand(raw_body, adapter)
    async with door.large_bodies.turn_of(sender.tenant_id or adapter.platform):
        if await request.is_disconnected():
            raise RefusedRequest(400, "gone", "The connection closed before the delivery was read.")
        return await beside_the_loop(len(raw_body), _understand, raw_body, adapter)


def _understand(raw_body: bytes, adapter: Adapter) -> tuple[JsonObject, Prepared]:
    """The body as JSON and what it says. Raises RefusedRequest: 400 when it is malformed, 413 above ITEMS_LIMIT."""
    try:
        body = parse_json_body(raw_body)
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None
    if adapter.holds_more_items_than(body, ITEMS_LIMIT):
        raise RefusedRequest(413, "too_many_items", f"The body holds more than {ITEMS_LIMIT} items; send it in smaller batches.")
    return body, prepare(adapter.read_signals(body, clock.now()))


def _tenant_of(sender: Sender, tenant_headers: list[str], body: JsonObject) -> tuple[Any, TenantIdSource] | None:
    """The tenant that the delivery names, or that its key is of. Raises RefusedRequest: 400 when malformed, 403 when the two differ."""
    named = named_tenant(tenant_headers, body)
    if sender.tenant_id is None:
        return named
    if named is not None and named[0] != sender.tenant_id:
        raise RefusedRequest(403, "key_of_another_tenant", "The API key is of another tenant than the one this delivery names.")
    return named or (sender.tenant_id, TenantIdSource.HEADER)


def _tell(delivery: RoutedDelivery, admissions: list[Admission]) -> None:
    DELIVERIES.labels(delivery.platform, "admitted" if admissions else "unrouted").inc()
    count_admissions(delivery.platform, admissions)
    for admission in admissions:
        source = next(part.tenant_id_source for part in delivery.parts if part.tenant_id == admission.tenant_id)
        log.info(
            "delivery_admitted",
            platform=delivery.platform,
            tenant_id=str(admission.tenant_id),
            tenant_id_source=source.value,
            created=admission.created,
            updated=admission.updated,
            duplicate=admission.duplicate,
            ignored=admission.ignored.total(),
            quarantined=admission.quarantined.total(),
        )
    if delivery.unrouted:
        UNKNOWN_PAGES.labels(delivery.platform, "kept").inc(len(delivery.unrouted))
        log.warning("delivery_unrouted", platform=delivery.platform, pages=len(delivery.unrouted))
    if delivery.pages_not_kept:
        UNKNOWN_PAGES.labels(delivery.platform, "not_kept").inc(delivery.pages_not_kept)
        log.warning("unsigned_pages_not_kept", platform=delivery.platform, pages=delivery.pages_not_kept)


def _handshake_docs(platform: str) -> dict[str, Any]:
    asked = [("hub.mode", "subscribe"), ("hub.verify_token", "FACEBOOK_VERIFY_TOKEN"), ("hub.challenge", "echoed as text/plain")]
    return {
        "name": f"verify_{platform}_subscription",
        "summary": "Meta's verification handshake",
        "response_class": PlainTextResponse,
        "openapi_extra": {
            "parameters": [
                {"name": name, "in": "query", "required": True, "schema": {"type": "string"}, "description": said} for name, said in asked
            ]
        },
    }


def _delivery_docs(adapter: Adapter) -> dict[str, Any]:
    tenant = {
        "name": "X-Tenant-ID",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "format": "uuid"},
        "description": "The tenant; else tenant_id of the body, else the connected Page or account that the body names.",
    }
    signature = {
        "name": adapter.signature_header,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": f"{adapter.signature_form}, over the raw body; or the tenant's API key as Authorization: Bearer.",
    }
    content: dict[str, Any] = {"schema": {"type": "object"}}
    if adapter.platform == "facebook":
        mock = {"message": "Cho tôi báo giá", "sender_name": "Test", "sender_id": "u1", "post_id": "p1", "comment_id": "c1"}
        content["example"] = {"object": "page", "entry": [mock]}
    return {
        "name": f"receive_{adapter.platform}",
        "summary": f"Deliveries of {adapter.platform}: comments, messages, and what became of them",
        "openapi_extra": {
            "parameters": [tenant, signature],
            "requestBody": {"required": True, "content": {"application/json": content}},
        },
    }
