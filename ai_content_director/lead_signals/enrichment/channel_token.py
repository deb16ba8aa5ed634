"""The token of a channel, opened for one call."""

from uuid import UUID

from sqlalchemy import select

from lead_signals.connections.sealed_token import BrokenSeal, NoSealingKey, TokenPlace, TokenSeal
from lead_signals.log_context import get_logger
from lead_signals.settings import Settings
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.tenant_session import TenantSession

log = get_logger(__name__)


async def channel_token(session: TenantSession, settings: Settings, tenant_id: UUID, *, platform: str, external_id: str) -> str | None:
    """The token of this channel; None when it has none, is disconnected, or has one that our keys do not open (which is logged)."""
    row = (
        await session.execute(
            select(channels.c.id, channels.c.sealed_token).where(
                channels.c.tenant_id == tenant_id,
                channels.c.platform == platform,
                channels.c.external_id == external_id,
                channels.c.disconnected_at.is_(None),
                channels.c.sealed_token.is_not(None),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    try:
        token = TokenSeal(settings.channel_token_key).open(row.sealed_token, TokenPlace(tenant_id, platform, row.id))
    except (NoSealingKey, BrokenSeal) as error:
        log.warning("channel_token_stays_sealed", tenant_id=str(tenant_id), channel_id=str(row.id), error=error.__class__.__name__)
        return None
    return token.get_secret_value()
