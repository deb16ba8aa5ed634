"""Whose are the channels of these deliveries? One question for a whole group."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from lead_signals.intake.route_delivery import Incoming
from lead_signals.tenancy.channel import tenants_of_channels
from lead_signals.tenancy.tenant_session import AcrossTenantsSession


async def find_owners(session: AcrossTenantsSession, deliveries: Sequence[Incoming]) -> list[Mapping[str, UUID]]:
    """For each delivery, in their order, the tenant of each of its channels; those that nobody connected are absent."""
    asked: dict[str, set[str]] = {}
    for delivery in deliveries:
        asked.setdefault(delivery.platform, set()).update(delivery.channels)
    known = {platform: await tenants_of_channels(session, platform, channels) for platform, channels in asked.items() if channels}
    found: list[Mapping[str, UUID]] = []
    for delivery in deliveries:
        of_platform = known.get(delivery.platform, {})
        found.append({channel: of_platform[channel] for channel in delivery.channels if channel in of_platform})
    return found
