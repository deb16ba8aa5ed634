"""The pause of WEBHOOK_URL. It is kept for that one address, by its SHA-256: another address is not paused."""

from hashlib import sha256

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from lead_signals.followups.endpoints.endpoint import PauseReason, operator_endpoint_pauses


async def operators_pause(connection: AsyncConnection, webhook_url: str) -> PauseReason | None:
    """Why it is paused; None when it is not. The table belongs to no tenant: any session sees it."""
    rows = await connection.execute(select(operator_endpoint_pauses.c.pause_reason).where(_of(webhook_url)))
    reason = rows.scalar_one_or_none()
    return None if reason is None else PauseReason(reason)


async def pause_operators_endpoint(connection: AsyncConnection, webhook_url: str, reason: PauseReason) -> bool:
    """Pause it; False when it was paused before, and the reason of then stays."""
    written = await connection.execute(
        insert(operator_endpoint_pauses)
        .values(address_sha256=fingerprint(webhook_url), pause_reason=reason.value, paused_at=func.now())
        .on_conflict_do_nothing()
        .returning(operator_endpoint_pauses.c.paused_at)
    )
    return written.first() is not None


async def resume_operators_endpoint(connection: AsyncConnection, webhook_url: str) -> bool:
    """Lift the pause; False when there was none."""
    gone = await connection.execute(
        delete(operator_endpoint_pauses).where(_of(webhook_url)).returning(operator_endpoint_pauses.c.paused_at)
    )
    return gone.first() is not None


def _of(webhook_url: str) -> ColumnElement[bool]:
    return operator_endpoint_pauses.c.address_sha256 == fingerprint(webhook_url)


def fingerprint(webhook_url: str) -> bytes:
    """By what its pause is found."""
    return sha256(webhook_url.encode()).digest()
