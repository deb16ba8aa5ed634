"""The request a receiver gets: the follow-up contract's fields, frozen when the promise is made.

The bytes are stored with the promise, so every attempt carries the same body under the same webhook-id.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class FollowUpRequest:
    """What a receiver learns about a lead. Field names and order are the contract."""

    lead_id: UUID
    tenant_id: UUID
    author_name: str | None
    author_id: str | None
    content_text: str
    intent_label: str
    priority: str
    confidence_score: float
    status: str
    platform: str
    source_type: str
    external_post_id: str | None
    external_message_id: str | None
    permalink_url: str | None
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    created_at: datetime
    console_url: str | None

    def body(self) -> bytes:
        """The JSON bytes that are stored, signed and sent."""
        return orjson.dumps(self, default=str)  # asyncpg's UUIDs are a subclass, which orjson leaves to `default`
