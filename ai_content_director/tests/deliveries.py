"""What people write to the channels of our tests: as the mock deliveries of the runbook carry it, and as each platform does.

All names and ids are invented.
"""

import json
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


def said_on(platform: str, channel: str, message_id: str, text: str, *, name: str = "Đinh Thảo Vy") -> dict[str, Any]:
    """A delivery of this platform: somebody wrote one message to this channel. WhatsApp and TikTok tell the name too."""
    match platform:
        case "facebook" | "instagram":
            message = {"mid": message_id, "text": text}
            spoke = {"sender": {"id": "u_77"}, "recipient": {"id": channel}, "timestamp": 1_763_799_990_123, "message": message}
            kind = "page" if platform == "facebook" else "instagram"
            return {"object": kind, "entry": [{"id": channel, "time": 1_763_799_991, "messaging": [spoke]}]}
        case "whatsapp":
            value = {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "84 28 7300 0401", "phone_number_id": channel},
                "contacts": [{"profile": {"name": name}, "wa_id": "84900000177"}],
                "messages": [{"from": "84900000177", "id": message_id, "timestamp": "1763799990", "type": "text", "text": {"body": text}}],
            }
            return {
                "object": "whatsapp_business_account",
                "entry": [{"id": "700900800100", "changes": [{"field": "messages", "value": value}]}],
            }
        case "zalo":
            return {
                "app_id": "4400110022003300440",
                "event_name": "user_send_text",
                "sender": {"id": "6100200300400500677"},
                "recipient": {"id": channel},
                "message": {"text": text, "msg_id": message_id},
                "timestamp": "1763799990123",
            }
        case "tiktok":
            content = {
                "type": "text",
                "message_id": message_id,
                "timestamp": 1_763_799_990_123,
                "from": name,
                "from_user": {"id": "khach_77", "role": "personal_account"},
                "to_user": {"id": channel, "role": "business_account"},
                "text": {"body": text},
            }
            told = {"client_key": "app_mau_01", "event": "im_receive_msg", "create_time": 1_763_799_991, "user_openid": channel}
            return {**told, "content": json.dumps(content, ensure_ascii=False)}
        case _:
            raise AssertionError(f"there is no platform {platform}")
