"""A channel: a Page or account that a tenant has connected. Real deliveries name nothing but this."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    case,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from lead_signals.database.metadata import metadata
from lead_signals.database.new_id import new_id
from lead_signals.tenancy.tenant_session import AcrossTenantsSession, TenantSession


class TokenState(StrEnum):
    """What the last check found of the channel's token: none kept, not checked yet, ok, or what a person must mend."""

    NONE = "none"
    UNCHECKED = "unchecked"
    OK = "ok"
    RECONNECT = "reconnect"
    PERMISSION = "permission"
    BLOCKED = "blocked"


channels = Table(
    "channels",
    metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("name", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # What we may do with it: the platform's token, sealed, and what its last check found.
    Column("sealed_token", LargeBinary),
    Column("token_state", Text, nullable=False, server_default="none"),
    Column("token_expires_at", DateTime(timezone=True)),
    Column("subscribed_fields", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("checked_at", DateTime(timezone=True)),
    Column("check_sentence", Text),
    # Its habit of speaking: when it was heard last, since when it is quieter than it ever was, and up to where receipts are tallied.
    Column("last_heard_at", DateTime(timezone=True)),
    Column("quiet_since", DateTime(timezone=True)),
    Column("heard_until", DateTime(timezone=True)),
    Column("disconnected_at", DateTime(timezone=True)),
    CheckConstraint("token_state IN ('none', 'unchecked', 'ok', 'reconnect', 'permission', 'blocked')", "token_state"),
    CheckConstraint("(token_state = 'none') = (sealed_token IS NULL)", "token"),
    UniqueConstraint("tenant_id", "platform", "external_id"),
    Index("ix_channels_routing", "platform", "external_id"),
)


async def connect_channel(session: TenantSession, tenant_id: UUID, *, platform: str, external_id: str, name: str | None = None) -> UUID:
    """Route a Page's deliveries to this tenant from now on; the channel's id. Connecting it again only renews its name.

    A channel that was disconnected comes back as it was, and its habit of speaking begins anew: what was missed meanwhile is no silence.
    """
    statement = insert(channels).values(tenant_id=tenant_id, id=new_id(), platform=platform, external_id=external_id, name=name)
    channel_id: UUID = (
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "platform", "external_id"],
                set_={
                    "name": func.coalesce(statement.excluded.name, channels.c.name),
                    "heard_until": case((channels.c.disconnected_at.is_not(None), func.now()), else_=channels.c.heard_until),
                    "disconnected_at": None,
                },
            ).returning(channels.c.id)
        )
    ).scalar_one()
    return channel_id


async def tenants_of_channels(session: AcrossTenantsSession, platform: str, external_ids: Collection[str]) -> Mapping[str, UUID]:
    """Which tenant each of these Pages belongs to; unknown and disconnected ones are absent. Of two tenants with one Page, the first
    to connect has it."""
    if not external_ids:
        return {}
    rows = await session.execute(_OWNERS, {"platform": platform, "ids": list(external_ids)})
    return {row.external_id: row.tenant_id for row in rows}


# As text, and one text for any number of channels: it is asked for every group of deliveries.
_OWNERS = text(
    """
    SELECT external_id, tenant_id FROM channels
    WHERE platform = :platform AND external_id = ANY (CAST(:ids AS text[])) AND disconnected_at IS NULL
    ORDER BY created_at DESC, id DESC
    """
).columns(channels.c.external_id, channels.c.tenant_id)


async def channels_with_token(session: TenantSession, tenant_id: UUID) -> frozenset[tuple[str, str]]:
    """(platform, external id) of this tenant's channels in whose name the platform can be asked something."""
    usable = (TokenState.OK.value, TokenState.UNCHECKED.value)
    rows = await session.execute(
        select(channels.c.platform, channels.c.external_id).where(
            channels.c.tenant_id == tenant_id, channels.c.token_state.in_(usable), channels.c.disconnected_at.is_(None)
        )
    )
    return frozenset((row.platform, row.external_id) for row in rows)
