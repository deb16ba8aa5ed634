"""Invented leads for pages: a morning's inbox of a packaging workshop, as people type, classified by the product's own rules."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lead_signals.intent.classify import classify
from lead_signals.leads.kept_verdict import KeptVerdict
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.message_versions import Version
from lead_signals.tenancy.tenant import Tenant

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""08:00 on a Monday in Ho Chi Minh City."""

TENANT = Tenant(UUID("01930000-0000-7000-8000-00000000a001"), "Bao bì Sao Mai", "Bao bì giấy", NOW - timedelta(days=40))
OTHER_TENANT = Tenant(UUID("01930000-0000-7000-8000-00000000a002"), "Nội thất Gỗ Việt Xưa", "Nội thất", NOW - timedelta(days=12))

_NAMES = (
    "Nguyễn Thị Hồng Nhung", "Trần Quốc Khánh", "Lê Hoàng Yến", "Phạm Đức Thịnh", "Vũ Ngọc Ánh", "Đặng Minh Triết",
    "Bùi Thị Thuỳ Dương", "Hoàng Gia Bảo", "Xưởng Mộc Phú Cường", "Ngô Bảo Trâm", None, "Đỗ Kiều Oanh", "Tiệm Bánh Nhà Mây",
    "Hồ Văn Tài", "Lý Mỹ Duyên", "Cường Sài Gòn", "Mẹ Bé Bắp", "Trịnh Xuân Quỳnh",
)  # fmt: skip

_TEXTS = (
    "Cho em xin báo giá 500 hộp carton 30x20x15 với ạ, sđt em 0912 345 670",
    "Giá sao shop",
    "bn 1 túi in logo v ad",
    "Chốt đơn 200 hộp nhé, giao về Thuận An giúp mình",
    "Bên mình cần tư vấn gấp, gọi em số 0987.654.320 nha",
    "Xin demo phần mềm quản lý kho bên bạn được không?",
    "Hàng giao thiếu 20 hộp mà nhắn mãi không ai trả lời, quá tệ!",
    "Hộp này có chống ẩm không ạ",
    "Cảm ơn shop, hàng đẹp lắm ạ",
    "Đẹp quá trời luôn",
    "Tuyển CTV làm tại nhà, thu nhập 15tr/tháng, kb zalo em nhé",
    ".",
    "Ib mình",
    "gửi báo giá qua mail mua.hang@xuongmoc.example giúp anh, số lượng khoảng 3.000 thùng mỗi tháng",
    "co ship ve da nang ko shop, minh can 50 cai hop dung banh trung thu",
    "Nguyễn Văn Lâm vào xem nè ông",
    "Mẫu này còn màu kraft không, mình lấy 2 thùng",
    "",
    "Shop ơi cho mình hỏi với. Mình đang mở tiệm bánh ở quận 7, mỗi ngày cần khoảng 80 hộp size nhỏ và 40 hộp size lớn, in logo một màu. "
    "Không biết bên mình có nhận đơn nhỏ theo tuần không, hay phải đặt cả lô? Nếu đặt cả tháng thì giá thế nào, có được trả sau không? "
    "Mình cũng muốn xem mẫu giấy trước khi in, vì lần trước đặt chỗ khác giấy mỏng quá, đựng bánh kem bị thấm dầu, khách phàn nàn hoài. "
    "Bên mình có thể gửi mẫu thử về 12 đường số 5 được không ạ? Cảm ơn shop nhiều, mong shop trả lời sớm, số mình là 0933 222 110.",
    "Để lại sđt 0901112220 và +84 28 3822 0001, shop gọi lại sau 5h chiều giúp em",
)  # fmt: skip

_SOURCES = ("comment", "comment", "message", "comment", "message", "comment", "mention")


def morning_inbox(count: int = 200) -> list[Lead]:
    """`count` leads, newest first, the newest a few seconds old, spread over a weekend."""
    return [sample_lead(number) for number in range(count)]


def sample_lead(
    number: int = 0, *, text: str | None = None, name: str | None = None, meta: Mapping[str, Any] | None = None, **fields: Any
) -> Lead:
    """One invented lead; text, name, meta and any other field as wished."""
    words = _TEXTS[number % len(_TEXTS)] if text is None else text
    verdict = classify(words)
    created_at = NOW - timedelta(seconds=20 + 140 * number + 4 * number * number)
    source = _SOURCES[number % len(_SOURCES)]
    read: dict[str, Any] = {
        "permalink_url": f"https://www.facebook.com/permalink.php?story_fbid={7000 + number}&id=1000" if source == "comment" else None,
        "phones": list(verdict.phones),
        "emails": list(verdict.emails),
        "rule_pack": verdict.rule_pack,
        "evidence": [
            {"rule": seen.rule, "start": seen.start, "end": seen.end, "intent_label": seen.intent_label.value} for seen in verdict.evidence
        ],
    }
    values: dict[str, Any] = {
        "id": UUID(int=(0x0193 << 112) | (0x7 << 76) | (0b10 << 62) | number),
        "tenant_id": TENANT.id,
        "platform": "instagram" if number % 9 == 4 else "facebook",
        "source_type": source,
        "source_subtype": None,
        "content_id": None,
        "external_post_id": f"1000_{7000 + number}" if source == "comment" else None,
        "external_thread_id": None,
        "external_message_id": f"m{number}",
        "author_name": _NAMES[number % len(_NAMES)] if name is None else name,
        "author_id": f"u{number}",
        "content_text": words,
        "intent_label": verdict.intent_label.value,
        "priority": verdict.priority.value,
        "confidence_score": verdict.confidence_score,
        "status": verdict.status,
        "assignee": None,
        "follow_up_at": None,
        "last_contact_at": None,
        "meta": read | dict(meta or {}),
        "created_at": created_at,
        "updated_at": created_at,
    }
    return Lead(**(values | fields))


def sample_versions(*texts: str) -> list[Version]:
    """These texts one after the other, a minute apart, the first one the original."""
    return [_version("edited" if number else "original", text, NOW - timedelta(minutes=90 - number)) for number, text in enumerate(texts)]


def edited_lead(number: int = 0, *texts: str, **fields: Any) -> tuple[Lead, list[Version]]:
    """A lead that said these texts one after the other, and its versions."""
    meta = {**fields.pop("meta", {}), "edited": {"count": len(texts) - 1, "last_edited_at": None}}
    return sample_lead(number, text=texts[-1], meta=meta, **fields), sample_versions(*texts)


def _version(kind: str, text: str, said_at: datetime) -> Version:
    verdict = KeptVerdict.of(classify(text))
    return Version(kind=kind, content_text=text, **verdict.as_json(), said_at=said_at, received_at=said_at + timedelta(seconds=2))
