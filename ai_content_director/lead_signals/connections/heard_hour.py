"""What a channel said in one hour, as `intake` counts it from its receipts for the watchdog of silence."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from lead_signals.tenancy.tenant_session import TenantSession


@dataclass(frozen=True, slots=True)
class HeardHour:
    """Deliveries that came through one channel in one hour. `hour` is its beginning, `last_at` the last delivery's moment, in UTC."""

    platform: str
    external_id: str
    hour: datetime
    deliveries: int
    last_at: datetime


HeardBetween: TypeAlias = Callable[[TenantSession, UUID, datetime, datetime], Awaitable[Sequence[HeardHour]]]
"""`heard_channels(session, tenant_id, after, until)`: all that one tenant heard after the first moment, up to and with the second."""
