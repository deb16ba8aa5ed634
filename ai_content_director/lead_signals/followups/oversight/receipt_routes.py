"""`POST /api/follow-ups/{id}/receipts`: where a receiver tells what became of a follow-up. It proves itself, so it stands apart."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals import clock
from lead_signals.followups.endpoints.known_parameters import refuse_unknown_parameters
from lead_signals.followups.endpoints.refusals_told import refusals_told
from lead_signals.followups.follow_up import follow_ups, webhook_id
from lead_signals.followups.oversight.named_follow_up import NamedFollowUp, named_follow_up
from lead_signals.followups.oversight.receipt import ReceiptStatus
from lead_signals.followups.oversight.receipt_sender import prove_receipt_sender
from lead_signals.followups.oversight.receipt_wish import ReceiptWish
from lead_signals.followups.oversight.take_receipt import take_receipt
from lead_signals.request_body import RefusedRequest, read_raw_body
from lead_signals.settings import Settings
from lead_signals.strict_wish import read_json_wish, told_in_the_body
from lead_signals.tenancy.operator_access import OperatorAccess
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

RECEIPT_LIMIT_BYTES = 16 * 1024

# The body is read by hand, as everywhere: its bytes are what is signed. The schema is still told.
_SIGNATURE = (
    ("webhook-id", "the receipt's own id, the same when it is sent again: 1 to 128 letters, digits and _ . : -"),
    ("webhook-timestamp", "when it was signed, in seconds since 1970; within 5 minutes of now"),
    ("webhook-signature", "Standard Webhooks: v1, and base64 of HMAC-SHA256 over id.timestamp.body"),
)
_OPENAPI: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": f"{what}. Not needed beside the operator's key.",
            "schema": {"type": "string"},
        }
        for name, what in _SIGNATURE
    ],
    **told_in_the_body(ReceiptWish),
}


class ReceiptAnswer(BaseModel):
    """`known`: this very receipt had been taken before, at `received_at`."""

    ok: bool = True
    known: bool
    follow_up_id: UUID
    webhook_id: str
    status: ReceiptStatus
    received_at: datetime


def receipt_routes(engine: AsyncEngine, settings: Settings, operator: OperatorAccess) -> APIRouter:
    """The route; it must not lie behind the operator's key."""
    router = APIRouter(tags=["follow-ups"], dependencies=[Depends(refuse_unknown_parameters)])

    @router.post(
        "/api/follow-ups/{follow_up}/receipts",
        summary="A receiver tells what became of a follow-up",
        response_description="This very receipt had been taken before",
        responses={201: {"model": ReceiptAnswer, "description": "Taken"}, **refusals_told(400, 401, 403, 404, 409, 413, 422, 503)},
        openapi_extra=_OPENAPI,
    )
    async def post_receipt(follow_up: NamedFollowUp, tenant_id: UUID, request: Request, response: Response) -> ReceiptAnswer:
        follow_up_id = named_follow_up(follow_up)
        raw_body = await _read_small(request)
        async with tenant_session(engine, tenant_id) as session:
            endpoint_id = await _endpoint_of(session, tenant_id, follow_up_id)
            sender = await prove_receipt_sender(
                request, raw_body, session, tenant_id, endpoint_id, settings=settings, operator=operator, now=clock.now()
            )
            told = read_json_wish(ReceiptWish, raw_body)
            if endpoint_id is None:
                raise RefusedRequest(404, "unknown_follow_up", f"Tenant {tenant_id} has no follow-up {follow_up_id}.")
            taken = await take_receipt(session, tenant_id, follow_up_id, sender.receipt_key(told), told, actor=sender.actor)
        response.status_code = 201 if taken.is_new else 200
        return ReceiptAnswer(
            known=not taken.is_new,
            follow_up_id=follow_up_id,
            webhook_id=webhook_id(follow_up_id),
            status=told.status,
            received_at=taken.received_at,
        )

    return router


async def _read_small(request: Request) -> bytes:
    raw_body = await read_raw_body(request, before_large=_refuse_large)
    if len(raw_body) > RECEIPT_LIMIT_BYTES:
        await _refuse_large()
    return raw_body


async def _refuse_large() -> None:
    raise RefusedRequest(413, "too_large", f"The receipt is larger than {RECEIPT_LIMIT_BYTES // 1024} KiB; shorten its note.")


async def _endpoint_of(session: TenantSession, tenant_id: UUID, follow_up_id: UUID) -> UUID | None:
    """None: this tenant has no such follow-up."""
    where = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
    found: UUID | None = (await session.execute(select(follow_ups.c.endpoint_id).where(*where))).scalar_one_or_none()
    return found
