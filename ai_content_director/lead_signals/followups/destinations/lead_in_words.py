"""A follow-up as a salesperson reads it, in Vietnamese, read back from the frozen bytes that a webhook would get.

Names and messages are written by strangers: they are cut, and characters that steer a screen instead of being seen are replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import orjson

from lead_signals.page_frame.unseen_characters import is_blank, pieces

LONGEST_NAME: Final = 60
LONGEST_SAYING: Final = 600
LONGEST_CONTACT: Final = 80
MOST_CONTACTS: Final = 5

INTENT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "inquiry_price": "Hỏi giá",
        "purchase_intent": "Muốn mua",
        "contact_request": "Cần liên hệ",
        "demo_request": "Xin demo",
        "complaint": "Phàn nàn",
        "inquiry": "Hỏi thông tin",
        "thanks": "Cảm ơn",
        "engagement": "Tương tác",
        "spam": "Spam",
        "unknown": "Chưa rõ",
    }
)
PLATFORM_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"facebook": "Facebook", "instagram": "Instagram", "whatsapp": "WhatsApp", "zalo": "Zalo", "tiktok": "TikTok"}
)
UNKNOWN_AUTHOR: Final = "Chưa rõ tên"
URGENT: Final = "Khách cần liên hệ ngay"
TRIAL: Final = "Tin thử: không phải khách hàng"
TRIAL_PREFIX: Final = "msg_test_"
"""How the webhook-id of a trial begins: a message that somebody sends to see whether the endpoint works."""
NO_WORDS: Final = "(Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán.)"


@dataclass(frozen=True, slots=True)
class LeadInWords:
    """What a message tells. `heading` and `who` are one line each; `said` may have several; contacts are one line each. A trial is nobody's
    message: nothing but its heading and what it says is to be shown."""

    heading: str
    is_trial: bool
    intent: str
    who: str
    platform: str
    said: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    console_url: str | None


def lead_in_words(body: bytes, webhook_id: str) -> LeadInWords:
    """Read the JSON of the follow-up contract. Raises ValueError when it is none.

    A trial must not look like a customer: somebody would run to the telephone.
    """
    lead = orjson.loads(body)
    if not isinstance(lead, dict):
        raise ValueError("the body of a follow-up is a JSON object")
    platform = _text(lead.get("platform"))
    intent = INTENT_WORDS.get(_text(lead.get("intent_label")), INTENT_WORDS["unknown"])
    is_trial = webhook_id.startswith(TRIAL_PREFIX)
    return LeadInWords(
        heading=TRIAL if is_trial else f"{URGENT}: {intent}",
        is_trial=is_trial,
        intent=intent,
        who=_line(lead.get("author_name"), LONGEST_NAME) or UNKNOWN_AUTHOR,
        platform=PLATFORM_WORDS.get(platform, _line(platform, LONGEST_NAME)),
        said=_saying(_text(lead.get("content_text"))) or NO_WORDS,
        phones=_contacts(lead.get("phones")),
        emails=_contacts(lead.get("emails")),
        console_url=_text(lead.get("console_url")) or None,
    )


def _saying(text: str) -> str:
    lines = (line.rstrip() for line in _seen(text[:LONGEST_SAYING]).split("\n"))
    said = "\n".join(line for line in lines if line.strip())
    return said + ("…" if said and len(text) > LONGEST_SAYING else "")


def _contacts(listed: Any) -> tuple[str, ...]:
    return tuple(_line(contact, LONGEST_CONTACT) for contact in listed[:MOST_CONTACTS]) if isinstance(listed, list) else ()


def _line(value: Any, longest: int) -> str:
    """On one line: what a header or a title may hold."""
    text = _text(value)
    line = " ".join(_seen(text[:longest]).split())
    return line + ("…" if line and len(text) > longest else "")


def _seen(text: str) -> str:
    if is_blank(text):
        return ""
    return "".join("\N{REPLACEMENT CHARACTER}" if piece.is_unseen else piece.text for piece in pieces(text))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
