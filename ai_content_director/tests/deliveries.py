"""What people write to the Pages of our tests, as the mock deliveries of the runbook carry it. All names are invented."""

from typing import Any

URGENT = "Cho tôi báo giá gói Enterprise"  # priority high: a follow-up is owed
UNCLEAR = "..."  # priority medium
POLITE = "Cảm ơn shop"  # priority low

ONBOARDING = {
    "tenant_name": "Xưởng Mộc Bách Xanh",
    "industry": "Nội thất gỗ",
    "brand_tone": "Thân thiện",
    "main_services": ["Tủ bếp", "Bàn ghế theo mẫu"],
    "target_customer": "Chủ nhà và kiến trúc sư ở Đà Nẵng",
    "cta_style": "Mời để lại số điện thoại",
}


def comment(comment_id: str, message: str = URGENT, **entry: Any) -> dict[str, Any]:
    """A delivery of one comment."""
    said = {"message": message, "sender_name": "Đinh Thảo Vy", "sender_id": "u_77", "post_id": "p_31", "comment_id": comment_id}
    return {"object": "page", "entry": [{**said, **entry}]}
