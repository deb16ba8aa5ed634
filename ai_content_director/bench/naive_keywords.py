"""The design everybody starts with: a list of keywords, looked for as substrings, each list with its fixed score.

It is here to be measured beside, not to be used: "giá" is in "đánh giá", and "mua" in "không mua nữa".
"""

from lead_signals.intent.lane import lane_status
from lead_signals.intent.verdict import IntentLabel

KEYWORDS: tuple[tuple[IntentLabel, float, tuple[str, ...]], ...] = (
    (IntentLabel.SPAM, 0.9, ("vay vốn", "lãi suất thấp", "tuyển cộng tác viên", "việc nhẹ lương cao", "kiếm tiền", "cá cược", "nhà cái")),
    (IntentLabel.COMPLAINT, 0.9, ("tệ", "thất vọng", "lừa đảo", "khiếu nại", "hỏng", "bị lỗi", "không trả lời", "quá lâu", "hoàn tiền")),
    (IntentLabel.INQUIRY_PRICE, 0.9, ("giá", "bao nhiêu", "báo giá", "bnhiu", "nhiêu tiền", "chi phí", "price", "quote", "bảng giá")),
    (IntentLabel.PURCHASE_INTENT, 0.9, ("mua", "đặt hàng", "chốt đơn", "lấy cho", "order", "ship cho", "thanh toán", "đăng ký gói")),
    (IntentLabel.DEMO_REQUEST, 0.88, ("demo", "dùng thử", "học thử", "trải nghiệm thử", "trial")),
    (IntentLabel.CONTACT_REQUEST, 0.88, ("inbox", "liên hệ", "gọi lại", "tư vấn", "số điện thoại", "zalo", "sđt")),
    (IntentLabel.THANKS, 0.85, ("cảm ơn", "cám ơn", "thank", "tks")),
    (IntentLabel.ENGAGEMENT, 0.8, ("đẹp", "tuyệt vời", "hay quá", "chúc mừng", "ủng hộ", "❤")),
    (IntentLabel.INQUIRY, 0.75, ("?", "không ạ", "ở đâu", "khi nào", "thế nào", "có ship")),
)
NOTHING_FOUND = 0.3


def naive_keywords(text: str) -> tuple[IntentLabel, float, str]:
    """Intent, confidence and lane of the first list with a keyword in the text."""
    lowered = text.lower()
    for label, score, keywords in KEYWORDS:
        for keyword in keywords:
            if keyword in lowered:
                return label, score, lane_status(score)
    return IntentLabel.UNKNOWN, NOTHING_FOUND, lane_status(NOTHING_FOUND)
