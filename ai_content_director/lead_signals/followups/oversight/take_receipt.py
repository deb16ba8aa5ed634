"""Take a receiver's word about a follow-up: each receipt once, each with its moment, none of them moving the follow-up's state.

A receipt may come while we still retry, or after we gave up: the receiver took the follow-up and its answer to us was lost. It does not end
the retries. Only a 2xx delivers (docs/follow_up_states.md): a receipt may be the word of another system behind the receiver, and a repeat
under the same webhook-id costs the receiver nothing, while a delivery that never came costs somebody a customer.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from lead_signals.audit.audit_event import AuditEvent, AuditEventType, record
from lead_signals.followups.follow_up import follow_ups
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.followups.oversight.receipt_wish import ReceiptWish
from lead_signals.request_body import RefusedRequest
from lead_signals.tenancy.tenant_session import TenantSession

MOST_RECEIPTS = 20  # of one follow-up; a receiver that runs in circles must not fill a table


@dataclass(frozen=True, slots=True)
class TakenReceipt:
    """`is_new` is False when this very receipt had been taken before."""

    is_new: bool
    received_at: datetime


async def take_receipt(
    session: TenantSession, tenant_id: UUID, follow_up_id: UUID, receipt_key: str, told: ReceiptWish, *, actor: str
) -> TakenReceipt:
    """Keep it under its key. The follow-up must exist; its row is locked, so that two at once are counted one after the other.

    Raises RefusedRequest (409) when the key has told another status before, and when there are MOST_RECEIPTS already.
    """
    of_this = (follow_ups.c.tenant_id == tenant_id, follow_ups.c.id == follow_up_id)
    await session.execute(select(follow_ups.c.id).where(*of_this).with_for_update(key_share=True))
    receipts = follow_up_receipts.c
    known = {
        row.receipt_key: row
        for row in await session.execute(
            select(receipts.receipt_key, receipts.status, receipts.received_at).where(
                receipts.tenant_id == tenant_id, receipts.follow_up_id == follow_up_id
            )
        )
    }
    if (before := known.get(receipt_key)) is not None:
        if before.status != told.status.value:
            sentence = f"This receipt's webhook-id has told '{before.status}' before; give each receipt an id of its own."
            raise RefusedRequest(409, "other_receipt", sentence)
        return TakenReceipt(is_new=False, received_at=before.received_at)
    if len(known) >= MOST_RECEIPTS:
        raise RefusedRequest(409, "too_many_receipts", f"This follow-up has {MOST_RECEIPTS} receipts already; it takes no more.")
    row = await session.execute(
        insert(follow_up_receipts)
        .values(
            tenant_id=tenant_id,
            follow_up_id=follow_up_id,
            receipt_key=receipt_key,
            status=told.status.value,
            reference=told.reference,
            note=told.note,
            received_at=func.clock_timestamp(),  # now() is when the transaction began: before the wait for the row
        )
        .returning(receipts.received_at)
    )
    happened = AuditEvent(AuditEventType.FOLLOW_UP_RECEIPT, "follow_up", follow_up_id, {"status": told.status.value}, actor)
    await record(session, tenant_id, [happened])
    return TakenReceipt(is_new=True, received_at=row.scalar_one())
