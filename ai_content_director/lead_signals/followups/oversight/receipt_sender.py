"""Who sends a receipt, and under which key it is kept: proven by the endpoint's own secret, by the operator's key, or by nobody.

A signature covers the receipt's id, its time and its bytes, as Standard Webhooks wants it, and not the address: whoever holds an endpoint's
secret may speak about every follow-up of that endpoint, and about no other's.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from starlette.requests import Request

from lead_signals.audit.audit_event import OPERATOR
from lead_signals.followups.destinations.webhook_signature import verify
from lead_signals.followups.endpoints.live_secrets import live_secrets, was_ever_signed
from lead_signals.followups.oversight.receipt_wish import ReceiptWish
from lead_signals.log_context import get_logger
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.operator_access import OperatorAccess
from lead_signals.tenancy.tenant_session import TenantSession

log = get_logger(__name__)

RECEIVER = "RECEIVER"
"""The actor of an audit event that a receiver caused."""

_RECEIPT_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class Proof(Enum):
    """What admits the sender."""

    KEY = "the operator's key"
    SIGNATURE = "a live secret of the follow-up's endpoint"
    NONE = "nothing: a local installation without a key, and an endpoint that never had a secret"


@dataclass(frozen=True, slots=True)
class ReceiptSender:
    """A sender who may tell. `receipt_id` is the signed webhook-id of the receipt itself; None where nothing is signed."""

    proof: Proof
    receipt_id: str | None = None

    @property
    def actor(self) -> str:
        """Who it was, for the audit."""
        return OPERATOR if self.proof is Proof.KEY else RECEIVER

    def receipt_key(self, told: ReceiptWish) -> str:
        """The same receipt, sent again, has the same key: by its signed id, or else by what it says."""
        if self.receipt_id is not None:
            return self.receipt_id
        return "said_" + hashlib.sha256(f"{told.status.value}\n{told.reference or ''}".encode()).hexdigest()[:32]


async def prove_receipt_sender(
    request: Request,
    raw_body: bytes,
    session: TenantSession,
    tenant_id: UUID,
    endpoint_id: UUID | None,
    *,
    settings: Settings,
    operator: OperatorAccess,
    now: datetime,
) -> ReceiptSender:
    """Who sent it. `endpoint_id` is None when there is no such follow-up: then only the operator's key gets past here.

    Unsigned receipts are for trying things out on one's own machine: they are taken in `local`, without an operator's key, from nearby,
    and of an endpoint that never had a secret (`was_ever_signed`).

    Raises RefusedRequest: 401, the same for a bad signature and for a follow-up that does not exist; 403 for a page of another site;
    422 when a good signature covers an id that cannot be kept; 503 when the secret lies sealed by a key that is not here: the receiver
    shall send it again.
    """
    if _holds_operators_key(request, settings, operator):
        return ReceiptSender(Proof.KEY)
    secrets = () if endpoint_id is None else await _live_secrets(session, settings, tenant_id, endpoint_id, now)
    if secrets and verify(request.headers, raw_body, secrets, now):
        return ReceiptSender(Proof.SIGNATURE, _receipt_id(request))
    if endpoint_id is not None and settings.app_env == "local" and settings.operator_api_key is None:
        operator(request)  # lets in whoever is nearby, and no page of another site or of a name that only points at us
        if not await was_ever_signed(session, settings, tenant_id, endpoint_id):
            return ReceiptSender(Proof.NONE)
    raise RefusedRequest(
        401,
        "unproven_receipt",
        "Sign the receipt with the secret that signs this endpoint's follow-ups (webhook-id, webhook-timestamp within 5 minutes,"
        " webhook-signature over the raw body), or send the operator's key.",
    )


def _holds_operators_key(request: Request, settings: Settings, operator: OperatorAccess) -> bool:
    if settings.operator_api_key is None:  # OperatorAccess then lets everybody nearby in, which proves nothing
        return False
    try:
        operator(request)
    except RefusedRequest as refused:
        if refused.status == 401:
            return False
        raise
    return True


async def _live_secrets(session: TenantSession, settings: Settings, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> tuple[str, ...]:
    try:
        return await live_secrets(session, settings, tenant_id, endpoint_id, now)
    except RefusedRequest as refused:
        # What is wrong with our keys is for the log: whoever asks has proven nothing yet.
        log.error("receipt_cannot_be_proven", endpoint_id=str(endpoint_id), reason=refused.reason)
        raise RefusedRequest(503, refused.reason, "The receipt cannot be proven right now; send it again later.") from None


def _receipt_id(request: Request) -> str:
    said = request.headers.get("webhook-id", "")
    if _RECEIPT_ID.fullmatch(said) is None:
        raise RefusedRequest(422, "bad_receipt_id", "webhook-id: expected 1 to 128 letters, digits and _ . : - of the receipt itself.")
    return said
