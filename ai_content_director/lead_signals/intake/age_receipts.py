"""Age receipts: raw deliveries that are older than the operator keeps them lose their bytes; what they counted stays."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intake.receipt import quarantined_items, receipts
from lead_signals.intake.unrouted_delivery import remove_kept_before
from lead_signals.log_context import get_logger
from lead_signals.tenancy.tenant import list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session, tenant_session

log = get_logger(__name__)

AT_ONCE = 1_000  # rows in one transaction: some 50 ms, and the doors stay open


async def age_receipts(engine: AsyncEngine, retention_days: int, now: datetime, *, at_once: int = AT_ONCE) -> int:
    """Remove what is raw and came more than `retention_days` before `now`; how many deliveries that were. 0 days keep everything.

    Bodies of receipts and their quarantined items, of every tenant; and whole deliveries that are kept for Pages nobody connected.
    It can be ended at any moment and begun again. Raises what the database raises.
    """
    if retention_days <= 0:
        return 0
    moment = now - timedelta(days=retention_days)
    async with across_tenants_session(engine) as session:
        tenants = await list_tenants(session)
    removed = {
        "receipts": sum([await _age_receipts_of(engine, tenant.id, moment, at_once) for tenant in tenants]),
        "unrouted": await _remove_unrouted(engine, moment, at_once),
    }
    if any(removed.values()):
        log.info("receipts_aged", retention_days=retention_days, **removed)
    return sum(removed.values())


async def _age_receipts_of(engine: AsyncEngine, tenant_id: UUID, moment: datetime, at_once: int) -> int:
    """A quarantined item goes in the transaction of its receipt: neither is ever there without the other."""
    aged = 0
    while True:
        oldest = (
            select(receipts.c.id)
            .where(receipts.c.tenant_id == tenant_id, receipts.c.received_at < moment, receipts.c.body.is_not(None))
            .order_by(receipts.c.received_at, receipts.c.id)
            .limit(at_once)
        )
        async with tenant_session(engine, tenant_id) as session:
            ids = (
                await session.execute(
                    update(receipts)
                    .where(receipts.c.tenant_id == tenant_id, receipts.c.id.in_(oldest), receipts.c.body.is_not(None))
                    .values(body=None, body_removed_at=func.now())
                    .returning(receipts.c.id)
                )
            ).scalars()
            of_these = list(ids)
            if of_these:
                await session.execute(
                    update(quarantined_items)
                    .where(quarantined_items.c.tenant_id == tenant_id, quarantined_items.c.receipt_id.in_(of_these))
                    .values(item=None)
                )
        aged += len(of_these)
        if len(of_these) < at_once:
            return aged


async def _remove_unrouted(engine: AsyncEngine, moment: datetime, at_once: int) -> int:
    removed = 0
    while True:
        async with across_tenants_session(engine) as session:
            of_these = await remove_kept_before(session, moment, limit=at_once)
        removed += of_these
        if of_these < at_once:
            return removed
