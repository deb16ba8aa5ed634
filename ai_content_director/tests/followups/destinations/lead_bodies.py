"""Frozen bodies of follow-ups, as the promise makes them; names and numbers are invented."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lead_signals.followups.request import FollowUpRequest

CONSOLE = "https://leads.example.vn/?tenant_id=018f&lead=019a"
MANY = "Cho mình hỏi giá tủ bếp gỗ sồi.\nNhà ở quận 3, cần lắp trước Tết."


def lead_body(**differs: Any) -> bytes:
    """The bytes of one follow-up; fields may be given to differ."""
    fields: dict[str, Any] = {
        "lead_id": UUID(int=7),
        "tenant_id": UUID(int=8),
        "author_name": "Thu Trần",
        "author_id": "u_1",
        "content_text": MANY,
        "intent_label": "inquiry_price",
        "priority": "high",
        "confidence_score": 0.91,
        "status": "new_auto",
        "platform": "facebook",
        "source_type": "comment",
        "external_post_id": "p_1",
        "external_message_id": "c_1",
        "permalink_url": None,
        "phones": ("+84903000222",),
        "emails": ("thu.tran@example.vn",),
        "created_at": datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        "console_url": CONSOLE,
    }
    return FollowUpRequest(**fields | differs).body()
