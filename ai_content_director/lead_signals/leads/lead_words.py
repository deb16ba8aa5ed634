"""What the lead pages say, in both languages. Every word an operator reads about a lead stands here."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.page_frame.language import Language
from lead_signals.platforms.inbound_signal import SourceType


@dataclass(frozen=True, slots=True)
class LeadWords:
    """One language. Words with `{…}` are filled with `str.format`."""

    statuses: Mapping[str, str]
    intents: Mapping[str, str]
    priorities: Mapping[str, str]
    sources: Mapping[str, str]
    attachments: Mapping[str, str]
    all_statuses: str
    filter_by_status: str
    lead_count_one: str
    lead_count: str
    unknown_author: str
    confidence: str
    no_words: str
    no_words_but: str
    filled_form: str
    read_all: str
    read_on: str
    read_less: str
    text_goes_on: str
    edited_once: str
    edited_often: str
    earlier_texts: str
    more_edits: str
    is_hidden: str
    reason: str
    matched_rules: str
    no_rule_matched: str
    rule_of: str
    beside_rules: Mapping[str, str]
    """What else speaks about a text and is no rule, by the name under which it is stored."""
    exact_time: str
    lead_number: str
    post_number: str
    open_post: str
    call: str
    write_to: str
    more_contacts: str
    more_answers: str
    pages: str
    newer: str
    older: str
    range_shown: str
    linked_lead: str
    linked_lead_missing: str
    see_all: str
    tenant: str
    switch_tenant: str
    choose_tenant: str
    choose_tenant_how: str
    since: str
    new_lead_one: str
    new_leads: str
    no_leads_heading: str
    no_leads_yet: str
    no_leads_signed: str
    no_leads_in_status: str
    no_tenant_heading: str
    no_tenant_yet: str
    no_tenant_then: str
    operator_key_hint: str
    command: str
    sample_onboarding: Mapping[str, object]
    sample_comment: str
    sample_author: str
    bad_address_heading: str
    bad_parameter: Mapping[str, str]
    unknown_tenant_heading: str
    unknown_tenant: str
    no_such_page_heading: str
    no_such_page: str
    to_first_page: str
    to_start: str


LEAD_WORDS: Final[Mapping[Language, LeadWords]] = MappingProxyType(
    {
        Language.VI: LeadWords(
            statuses={
                LeadStatus.NEW_AUTO: "Tự động",
                LeadStatus.NEW_DRAFT: "Nháp",
                LeadStatus.NEW_ESCALATE: "Cần người xem",
                LeadStatus.CONFIRMED: "Đã xác nhận",
                LeadStatus.DISMISSED: "Đã bỏ qua",
                LeadStatus.CONTACTED: "Đã liên hệ",
                LeadStatus.QUALIFIED: "Đủ tiềm năng",
                LeadStatus.WON: "Đã chốt",
                LeadStatus.LOST: "Không thành",
                LeadStatus.WITHDRAWN: "Khách đã xoá",
            },
            intents={
                IntentLabel.INQUIRY_PRICE: "Hỏi giá",
                IntentLabel.PURCHASE_INTENT: "Muốn mua",
                IntentLabel.CONTACT_REQUEST: "Cần liên hệ",
                IntentLabel.DEMO_REQUEST: "Xin demo",
                IntentLabel.COMPLAINT: "Phàn nàn",
                IntentLabel.INQUIRY: "Hỏi thông tin",
                IntentLabel.THANKS: "Cảm ơn",
                IntentLabel.ENGAGEMENT: "Tương tác",
                IntentLabel.SPAM: "Spam",
                IntentLabel.UNKNOWN: "Chưa rõ",
            },
            priorities={Priority.HIGH: "Ưu tiên cao", Priority.MEDIUM: "Ưu tiên vừa", Priority.LOW: "Ưu tiên thấp"},
            sources={
                SourceType.COMMENT: "Bình luận",
                SourceType.MESSAGE: "Tin nhắn",
                SourceType.POST: "Bài đăng lên Trang",
                SourceType.MENTION: "Nhắc đến Trang",
                SourceType.POSTBACK: "Bấm nút",
                SourceType.LEAD_FORM: "Biểu mẫu",
            },
            attachments={
                "photo": "ảnh",
                "image": "ảnh",
                "video": "video",
                "audio": "ghi âm",
                "file": "tệp",
                "sticker": "nhãn dán",
                "link": "liên kết",
                "location": "vị trí",
                "business_card": "danh thiếp",
                "contact": "liên hệ",
                "gif": "ảnh động",
                "share_post": "bài chia sẻ",
                "": "tệp đính kèm",
            },
            all_statuses="Tất cả",
            filter_by_status="Lọc theo trạng thái",
            lead_count_one="1 lead",
            lead_count="{count} lead",
            unknown_author="Chưa rõ tên",
            confidence="Tin cậy {percent}%",
            no_words="Không có chữ nào, có thể chỉ gửi ảnh hoặc nhãn dán.",
            no_words_but="Không có chữ, chỉ gửi {attachments}.",
            filled_form="Đã điền biểu mẫu.",
            read_all="Đọc hết",
            read_on="Đọc tiếp",
            read_less="Thu gọn",
            text_goes_on="Nội dung còn dài: đây là {shown} trong tổng số {total} ký tự. Xem toàn văn qua API: GET /api/leads.",
            edited_once="Đã sửa 1 lần",
            edited_often="Đã sửa {count} lần",
            earlier_texts="Nội dung trước khi sửa",
            more_edits="và {count} lần sửa khác",
            is_hidden="Đang ẩn",
            reason="Vì sao?",
            matched_rules="Từ khớp và quy tắc",
            no_rule_matched="Không có quy tắc nào khớp với nội dung này.",
            rule_of="quy tắc",
            beside_rules={
                "lead_form": "biểu mẫu khách điền",
                "statistical opinion": "thống kê từ câu mẫu",
                "language model": "mô hình ngôn ngữ",
            },
            exact_time="Nhận lúc",
            lead_number="Mã lead",
            post_number="Mã bài viết",
            open_post="Mở trên {platform}",
            call="Gọi {number}",
            write_to="Gửi email cho {address}",
            more_contacts="và {count} liên hệ khác",
            more_answers="và {count} câu trả lời khác",
            pages="Chuyển trang",
            newer="Mới hơn",
            older="Cũ hơn",
            range_shown="{first}–{last} trong {total}",
            linked_lead="Lead bạn vừa mở từ liên kết",
            linked_lead_missing="Không tìm thấy lead trong liên kết. Có thể lead đã bị xoá, hoặc liên kết thuộc doanh nghiệp khác.",
            see_all="Xem tất cả lead",
            tenant="Doanh nghiệp",
            switch_tenant="Chuyển",
            choose_tenant="Chọn doanh nghiệp",
            choose_tenant_how="Hệ thống này phục vụ {count} doanh nghiệp. Bạn muốn xem lead của ai?",
            since="từ {day}",
            new_lead_one="Có 1 lead mới, bấm để xem",
            new_leads="Có {count} lead mới, bấm để xem",
            no_leads_heading="Chưa có lead nào",
            no_leads_yet="Khi khách bình luận hoặc nhắn tin cho Trang, lead sẽ hiện ở đây. Thử ngay bằng một bình luận mẫu:",
            no_leads_signed="Nếu đã đặt FACEBOOK_APP_SECRET, hệ thống chỉ nhận dữ liệu có chữ ký của Meta, nên lệnh mẫu này sẽ bị từ chối.",
            no_leads_in_status="Không có lead nào ở trạng thái này.",
            no_tenant_heading="Bắt đầu với doanh nghiệp đầu tiên",
            no_tenant_yet="Hệ thống đang chạy nhưng chưa có doanh nghiệp nào. Sửa lệnh này cho đúng với doanh nghiệp của bạn rồi chạy:",
            no_tenant_then="Xong rồi thì tải lại trang này: hướng dẫn gửi bình luận đầu tiên sẽ hiện ra.",
            operator_key_hint='Nếu đã đặt OPERATOR_API_KEY, thêm vào lệnh: -H "Authorization: Bearer $OPERATOR_API_KEY"',
            command="Lệnh mẫu",
            sample_onboarding={
                "tenant_name": "Bao bì Sao Mai",
                "industry": "Bao bì giấy",
                "brand_tone": "Thân thiện, rõ ràng",
                "main_services": ["Hộp carton", "Túi giấy in logo"],
                "target_customer": "Xưởng sản xuất và cửa hàng bán lẻ",
                "cta_style": "Mời để lại số điện thoại",
            },
            sample_comment="Báo giá giúp mình 500 hộp carton, số của mình 0912 345 678",
            sample_author="Khách thử",
            bad_address_heading="Địa chỉ trang chưa đúng",
            bad_parameter={
                "tenant_id": "tenant_id không phải là mã doanh nghiệp. Mã đúng có dạng 36 ký tự, gồm số, chữ a–f và dấu gạch nối.",
                "status": "status không phải là một trạng thái của lead. Hãy chọn trạng thái bằng các nút lọc trên trang.",
                "page": "page phải là số trang, từ 1 trở lên.",
                "lead": "lead không phải là mã lead. Hãy mở lại liên kết đầy đủ từ thông báo bạn nhận được.",
                "lang": "lang chỉ nhận vi (tiếng Việt) hoặc en (tiếng Anh).",
            },
            unknown_tenant_heading="Không tìm thấy doanh nghiệp",
            unknown_tenant="Không có doanh nghiệp nào mang mã này. Có thể doanh nghiệp đã bị xoá, hoặc liên kết thuộc hệ thống khác.",
            no_such_page_heading="Trang này không còn lead",
            no_such_page="Danh sách ngắn hơn số trang được yêu cầu.",
            to_first_page="Về trang đầu",
            to_start="Về trang chính",
        ),
        Language.EN: LeadWords(
            statuses={
                LeadStatus.NEW_AUTO: "Automatic",
                LeadStatus.NEW_DRAFT: "Draft",
                LeadStatus.NEW_ESCALATE: "Needs a person",
                LeadStatus.CONFIRMED: "Confirmed",
                LeadStatus.DISMISSED: "Dismissed",
                LeadStatus.CONTACTED: "Contacted",
                LeadStatus.QUALIFIED: "Qualified",
                LeadStatus.WON: "Won",
                LeadStatus.LOST: "Lost",
                LeadStatus.WITHDRAWN: "Withdrawn",
            },
            intents={
                IntentLabel.INQUIRY_PRICE: "Asks the price",
                IntentLabel.PURCHASE_INTENT: "Wants to buy",
                IntentLabel.CONTACT_REQUEST: "Wants contact",
                IntentLabel.DEMO_REQUEST: "Wants a demo",
                IntentLabel.COMPLAINT: "Complaint",
                IntentLabel.INQUIRY: "Question",
                IntentLabel.THANKS: "Thanks",
                IntentLabel.ENGAGEMENT: "Engagement",
                IntentLabel.SPAM: "Spam",
                IntentLabel.UNKNOWN: "Unclear",
            },
            priorities={Priority.HIGH: "High priority", Priority.MEDIUM: "Medium priority", Priority.LOW: "Low priority"},
            sources={
                SourceType.COMMENT: "Comment",
                SourceType.MESSAGE: "Message",
                SourceType.POST: "Post on the Page",
                SourceType.MENTION: "Mention of the Page",
                SourceType.POSTBACK: "Button pressed",
                SourceType.LEAD_FORM: "Lead form",
            },
            attachments={
                "photo": "photo",
                "image": "photo",
                "video": "video",
                "audio": "voice message",
                "file": "file",
                "sticker": "sticker",
                "link": "link",
                "location": "location",
                "business_card": "contact card",
                "contact": "contact",
                "gif": "animation",
                "share_post": "shared post",
                "": "attachment",
            },
            all_statuses="All",
            filter_by_status="Filter by status",
            lead_count_one="1 lead",
            lead_count="{count} leads",
            unknown_author="Name unknown",
            confidence="{percent}% confident",
            no_words="No words, perhaps only a photo or a sticker.",
            no_words_but="No words, only: {attachments}.",
            filled_form="Filled in a lead form.",
            read_all="Read all",
            read_on="Read on",
            read_less="Show less",
            text_goes_on="The text goes on: these are {shown} of its {total} characters. The whole text is in the API: GET /api/leads.",
            edited_once="Edited once",
            edited_often="Edited {count} times",
            earlier_texts="Before it was edited",
            more_edits="and {count} more edits",
            is_hidden="Hidden",
            reason="Why?",
            matched_rules="Matched words and rules",
            no_rule_matched="No rule matched this text.",
            rule_of="rule",
            beside_rules={
                "lead_form": "lead form",
                "statistical opinion": "statistical opinion",
                "language model": "language model",
            },
            exact_time="Received",
            lead_number="Lead id",
            post_number="Post id",
            open_post="Open on {platform}",
            call="Call {number}",
            write_to="Email {address}",
            more_contacts="and {count} more",
            more_answers="and {count} more answers",
            pages="Pages",
            newer="Newer",
            older="Older",
            range_shown="{first}–{last} of {total}",
            linked_lead="The lead you opened from a link",
            linked_lead_missing="The lead in this link was not found. It may have been deleted, or the link belongs to another company.",
            see_all="See all leads",
            tenant="Company",
            switch_tenant="Switch",
            choose_tenant="Choose a company",
            choose_tenant_how="This system serves {count} companies. Whose leads do you want to see?",
            since="since {day}",
            new_lead_one="1 new lead, press to see it",
            new_leads="{count} new leads, press to see them",
            no_leads_heading="No leads yet",
            no_leads_yet="When people comment on the Page or write to it, their leads appear here. Try it now with a sample comment:",
            no_leads_signed="Once FACEBOOK_APP_SECRET is set, only deliveries signed by Meta are accepted: this sample will be refused.",
            no_leads_in_status="No lead has this status.",
            no_tenant_heading="Begin with the first company",
            no_tenant_yet="The system runs, and has no company yet. Run this, with your own company's words:",
            no_tenant_then="Then reload this page: it will say how to send a first comment.",
            operator_key_hint='If OPERATOR_API_KEY is set, add to the command: -H "Authorization: Bearer $OPERATOR_API_KEY"',
            command="Sample command",
            sample_onboarding={
                "tenant_name": "Morning Star Packaging",
                "industry": "Paper packaging",
                "brand_tone": "Friendly and clear",
                "main_services": ["Carton boxes", "Printed paper bags"],
                "target_customer": "Workshops and retail shops",
                "cta_style": "Ask for a phone number",
            },
            sample_comment="Please quote 500 carton boxes, my number is 0912 345 678",
            sample_author="Test customer",
            bad_address_heading="This address is not right",
            bad_parameter={
                "tenant_id": "tenant_id is not a company's id. An id has 36 characters: digits, letters a–f and hyphens.",
                "status": "status is not a status of a lead. Choose one with the filter buttons on the page.",
                "page": "page must be a page number, 1 or more.",
                "lead": "lead is not a lead's id. Open the full link from the notification again.",
                "lang": "lang takes vi (Vietnamese) or en (English).",
            },
            unknown_tenant_heading="Company not found",
            unknown_tenant="No company has the id in this address. It may have been deleted, or the link belongs to another installation.",
            no_such_page_heading="No leads on this page",
            no_such_page="The list is shorter than the page asked for.",
            to_first_page="To the first page",
            to_start="To the start page",
        ),
    }
)

PLATFORM_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"facebook": "Facebook", "instagram": "Instagram", "whatsapp": "WhatsApp", "zalo": "Zalo", "tiktok": "TikTok"}
)


def leads_counted(count: int, written: str, language: Language) -> str:
    """ "200 lead"; `written` is the count as the language writes it."""
    words = LEAD_WORDS[language]
    return words.lead_count_one if count == 1 else words.lead_count.format(count=written)
