"""A shop with a Page: the database it lies in, the Graph that knows the Page, and the product's verbs done to it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.audit.audit_event import audit_events
from lead_signals.connections.channel_check import channel_checks
from lead_signals.connections.channel_list import ConnectedChannel
from lead_signals.connections.channel_wish import ChannelWish
from lead_signals.connections.connect import Connected, connect
from lead_signals.connections.disconnect import Disconnected, disconnect
from lead_signals.connections.watched_fields import PAGE_FIELDS
from lead_signals.graph_api.graph_client import GraphClient
from lead_signals.settings import Settings, read_settings
from lead_signals.tenancy.channel import channels
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.graph_api.graph_stand_in import APP_SECRET, PAGE_ID, PAGE_TOKEN, GraphStandIn

SEALING_KEY = "mK2s0c3Yq9hXv7oJt1nUe5wRz8bDf4gLi6pAaQxTyE0="
OLDER_KEY = "Zt0Xg5hQb8vNc2mKe7sPa4rLd9wUy1iOf6jTq3xBzAE="
EVERY_FIELD = [field.name for field in PAGE_FIELDS]
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shop:
    """One tenant among others; what is not said otherwise is done for it, to the Page of the stand-in, with the settings of all."""

    engine: AsyncEngine
    graph: GraphClient
    settings: Settings
    tenant: UUID
    stand_in: GraphStandIn

    async def connected(
        self,
        whose: UUID | None = None,
        *,
        token: str | None = PAGE_TOKEN,
        external_id: str = PAGE_ID,
        settings: Settings | None = None,
        graph: GraphClient | None = None,
        **more: Any,
    ) -> Connected:
        """Connect a Page, with its token unless told otherwise."""
        told = {"tenant_id": whose or self.tenant, "platform": "facebook", "external_id": external_id, **more}
        wish = ChannelWish(**told, access_token=None if token is None else SecretStr(token))
        return await connect(self.engine, graph or self.graph, settings or self.settings, wish, now=NOW)

    async def disconnect(
        self, channel: UUID | ConnectedChannel, whose: UUID | None = None, settings: Settings | None = None
    ) -> Disconnected:
        """Let go of a channel."""
        channel_id = channel if isinstance(channel, UUID) else channel.id
        return await disconnect(self.engine, self.graph, settings or self.settings, whose or self.tenant, channel_id)

    async def neighbour(self, name: str = "Thép Bắc Hà") -> UUID:
        """Another tenant."""
        return (await onboard_tenant(self.engine, Onboarding(tenant_name=name))).tenant.id

    def with_settings(self, **changes: str) -> Settings:
        """The settings with some variables changed; an empty text unsets one."""
        return read_settings({**environment(self.stand_in), **changes})

    async def row(self, whose: UUID | None = None) -> Row[Any]:
        """The tenant's only channel as it lies in its table, connected or not."""
        async with tenant_session(self.engine, whose or self.tenant) as session:
            return (await session.execute(select(channels))).one()

    async def check(self) -> Row[Any]:
        """The tenant's only promised check."""
        async with tenant_session(self.engine, self.tenant) as session:
            return (await session.execute(select(channel_checks))).one()

    async def audited(self, whose: UUID | None = None) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, actor and detail of what happened to the tenant's channels, in order."""
        of_channels = select(audit_events).where(audit_events.c.entity_type == "channel").order_by(audit_events.c.id)
        async with tenant_session(self.engine, whose or self.tenant) as session:
            return [(row.event_type, row.actor, row.detail) for row in await session.execute(of_channels)]


def environment(stand_in: GraphStandIn, **more: str) -> dict[str, str]:
    """The environment of a product that asks this stand-in."""
    return {
        "CHANNEL_TOKEN_KEY": SEALING_KEY,
        "FACEBOOK_APP_ID": stand_in.app_id,
        "FACEBOOK_APP_SECRET": APP_SECRET.decode(),
        "GRAPH_BASE_URL": stand_in.base_url,
        **more,
    }
