"""The entrance for platforms: raw bytes, proof, strict reading, one transaction, and only then a 200."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.exceptions import HTTPException

from lead_signals import clock
from lead_signals.intake.admit import Admission, admit
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.intake_metrics import ADMIT_SECONDS, DELIVERIES, UNKNOWN_PAGES, count_admissions
from lead_signals.intake.route_delivery import RoutedDelivery, route_delivery
from lead_signals.json_body import JsonObject, MalformedBody, parse_json_body
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.log_context import get_logger
from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.meta.handshake import Challenge, answer_handshake
from lead_signals.platforms.signature_verdict import SignatureVerdict
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.settings import Settings

log = get_logger(__name__)

FACEBOOK = "facebook"
ITEMS_LIMIT = 1000  # what Meta puts into one delivery at most; 350,000 empty items fit into 1 MiB


def webhook_routes(engine: AsyncEngine, settings: Settings) -> APIRouter:
    """`GET` and `POST /webhooks/facebook`."""
    router = APIRouter(tags=["webhooks"])
    policy = FollowUpPolicy(somebody_listens=settings.webhook_url is not None, console_base_url=settings.public_base_url)

    @router.get("/webhooks/facebook", response_class=PlainTextResponse, summary="Meta's verification handshake")
    async def verify_subscription(
        mode: Annotated[str | None, Query(alias="hub.mode")] = None,
        token: Annotated[str | None, Query(alias="hub.verify_token")] = None,
        challenge: Annotated[str | None, Query(alias="hub.challenge")] = None,
    ) -> PlainTextResponse:
        expected = None if settings.facebook_verify_token is None else settings.facebook_verify_token.get_secret_value()
        answer = answer_handshake(mode, token, challenge, expected)
        if isinstance(answer, Challenge):
            return PlainTextResponse(answer.text)
        log.warning("handshake_refused", platform=FACEBOOK, reason=answer.value)
        return PlainTextResponse(f"Handshake refused: {answer.value}.", status_code=403)

    @router.post("/webhooks/facebook", summary="Comments and messages of a Facebook Page", openapi_extra=_OPENAPI)
    async def receive_facebook(request: Request) -> Response:
        try:
            return await _receive(request, ADAPTERS[FACEBOOK], engine, settings, policy)
        except RefusedRequest as refused:
            DELIVERIES.labels(FACEBOOK, refused.reason).inc()
            log.warning("delivery_refused", platform=FACEBOOK, status=refused.status, reason=refused.reason)
            if refused.status in _REFUSAL_HEADERS:
                raise HTTPException(refused.status, refused.sentence, headers=_REFUSAL_HEADERS[refused.status]) from None
            raise

    return router


_REFUSAL_HEADERS = {
    408: {"Connection": "close"},  # the rest of the body may go on trickling in
    503: {"Retry-After": "300"},
}


async def _receive(request: Request, adapter: Adapter, engine: AsyncEngine, settings: Settings, policy: FollowUpPolicy) -> Response:
    secrets = settings.facebook_app_secrets
    _refuse_by_header(request, adapter, secrets)
    raw_body = await read_raw_body(request)
    with ADMIT_SECONDS.labels(adapter.platform).time():
        signed = _prove_sender(request, raw_body, adapter, secrets)
        body, reading = await beside_the_loop(len(raw_body), _understand, raw_body, adapter)
        delivery = await route_delivery(
            engine,
            adapter.platform,
            raw_body,
            body,
            reading,
            tenant_headers=request.headers.getlist("x-tenant-id"),
            signed=signed,
        )
        admissions = await admit(engine, delivery, policy)
    _tell(delivery, admissions)
    lead_ids = [str(lead_id) for admission in admissions for lead_id in admission.lead_ids]
    return Response(orjson.dumps({"ok": True, "created": len(lead_ids), "lead_ids": lead_ids}), media_type="application/json")


def _refuse_by_header(request: Request, adapter: Adapter, secrets: Sequence[bytes]) -> None:
    """401 for a delivery without a signature, before a byte of its body is taken in."""
    if secrets and adapter.verify(request.scope["headers"], b"", secrets, clock.now()) is SignatureVerdict.MISSING:
        raise _unproven(SignatureVerdict.MISSING)


def _prove_sender(request: Request, raw_body: bytes, adapter: Adapter, secrets: Sequence[bytes]) -> bool:
    """True when a secret proved the sender. Without any secret (only `local` starts so) deliveries are taken unproven."""
    if not secrets:
        return False
    verdict = adapter.verify(request.scope["headers"], raw_body, secrets, clock.now())
    if verdict is not SignatureVerdict.VALID:
        raise _unproven(verdict)
    return True


def _unproven(verdict: SignatureVerdict) -> RefusedRequest:
    return RefusedRequest(401, f"signature_{verdict.value}", f"The signature in X-Hub-Signature-256 is {_SAID[verdict]}.")


_SAID = {
    SignatureVerdict.MISSING: "missing",
    SignatureVerdict.MALFORMED: "not of the form sha256=<64 hex digits>",
    SignatureVerdict.MISMATCH: "not made with this app's secret over this body",
    SignatureVerdict.STALE: "too old",
}


def _understand(raw_body: bytes, adapter: Adapter) -> tuple[JsonObject, Reading]:
    """The body as JSON and what it says. Raises RefusedRequest: 400 when it is malformed, 413 above ITEMS_LIMIT."""
    try:
        body = parse_json_body(raw_body)
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None
    if adapter.holds_more_items_than(body, ITEMS_LIMIT):
        raise RefusedRequest(413, "too_many_items", f"The body holds more than {ITEMS_LIMIT} items; send it in smaller batches.")
    return body, adapter.read_signals(body, clock.now())


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


_OPENAPI: dict[str, Any] = {
    "parameters": [
        {
            "name": "X-Tenant-ID",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "format": "uuid"},
            "description": "The tenant; else tenant_id of the body, else the connected Page in entry[].id.",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "object": "page",
                    "entry": [
                        {"message": "Cho tôi báo giá", "sender_name": "Test", "sender_id": "u1", "post_id": "p1", "comment_id": "c1"}
                    ],
                },
            }
        },
    },
}
