"""The secrets by which a receiver's word is proven: those that sign what we send it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, EndpointKind, follow_up_endpoints
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, UnopenedEndpoint
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession

_NEVER_SIGNED = (EndpointKind.SLACK, EndpointKind.EMAIL)


async def live_secrets(session: TenantSession, settings: Settings, tenant_id: UUID, endpoint_id: UUID, now: datetime) -> tuple[str, ...]:
    """Every secret of the endpoint that lives at `now`, the newest first, as `whsec_…`; WEBHOOK_SIGNING_SECRET for the operator's.

    Empty for what has none: Slack, e-mail, an endpoint that was removed or is not this tenant's, an operator who signs nothing. Raises
    RefusedRequest (503) when there is one and no key here opens it: that must never be taken for "there is none".
    """
    if endpoint_id == OPERATORS_ENDPOINT:
        return settings.signing_secrets
    columns = follow_up_endpoints.c
    row = (
        await session.execute(
            select(follow_up_endpoints).where(columns.tenant_id == tenant_id, columns.id == endpoint_id, columns.removed_at.is_(None))
        )
    ).one_or_none()
    if row is None or row.sealed_secret is None:
        return ()
    try:
        return EndpointSeal(settings.channel_token_key).open(row, now).live_secrets(now)
    except UnopenedEndpoint as unopened:
        raise RefusedRequest(503, "endpoint_cannot_be_opened", str(unopened)) from None


async def was_ever_signed(session: TenantSession, settings: Settings, tenant_id: UUID, endpoint_id: UUID) -> bool:
    """Whether the endpoint has, or had before it was removed, a secret that signs what goes there. One that is not there counts as one
    that had: of it nobody can be believed without proof."""
    if endpoint_id == OPERATORS_ENDPOINT:
        return bool(settings.signing_secrets)
    columns = follow_up_endpoints.c
    kinds = await session.execute(select(columns.kind).where(columns.tenant_id == tenant_id, columns.id == endpoint_id))
    return kinds.scalar_one_or_none() not in _NEVER_SIGNED
