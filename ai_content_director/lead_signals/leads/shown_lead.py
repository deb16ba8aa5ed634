"""A lead as the page shows it: every value already decided, in one language, so that the template only lays it out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import phonenumbers

from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_words import LEAD_WORDS, PLATFORM_NAMES, LeadWords
from lead_signals.leads.matched_words import Stretch, cut_out, matched_rules, stretches
from lead_signals.page_frame.language import Language
from lead_signals.page_frame.shown_moment import ShownMoment, show_day, show_moment
from lead_signals.page_frame.unseen_characters import is_blank
from lead_signals.platforms.inbound_signal import SourceType
from lead_signals.platforms.public_url import permalink

LONG_TEXT_CHARACTERS: Final = 420
LONG_TEXT_LINES: Final = 7
EXCERPT_CHARACTERS: Final = 300
EXCERPT_LINES: Final = 4
MOST_CONTACTS: Final = 6
MOST_ANSWERS: Final = 20
QUOTE_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach the person. `address` is a `tel:` or `mailto:` link, None when the stored value is not fit for one."""

    text: str
    address: str | None
    action: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that spoke: its name, the words it saw, and the intent it speaks for."""

    rule: str
    quote: str
    intent: str


@dataclass(frozen=True, slots=True)
class ShownLead:
    """`status`, `priority` are the stored words (they name styles); the `…_word`s are what is read."""

    id: UUID
    day: str
    moment: ShownMoment
    author_name: str | None
    source: str
    platform: str
    status: str
    status_word: str
    intent_word: str
    priority: str
    priority_word: str
    confidence: str
    parts: Sequence[Stretch]
    excerpt: Sequence[Stretch] | None
    """The beginning of a long text; None when the text is short enough to show whole."""
    instead_of_words: str | None
    answers: Sequence[tuple[str, str]]
    contacts: Sequence[Contact]
    further_contacts: str | None
    post_address: str | None
    post_words: str
    external_post_id: str | None
    reasons: Sequence[Reason]


def show_lead(lead: Lead, now: datetime, language: Language) -> ShownLead:
    """Never raises for what is stored: `meta` and texts are what strangers wrote, and rows of other versions may hold new words."""
    words = LEAD_WORDS[language]
    rules = matched_rules(lead.content_text, lead.meta.get("evidence"))
    parts = stretches(lead.content_text, rules, lead.intent_label)
    contacts = _contacts(lead.meta, words)
    platform = PLATFORM_NAMES.get(lead.platform, lead.platform)
    wordless = is_blank(lead.content_text)
    return ShownLead(
        id=lead.id,
        day=show_day(lead.created_at, now, language),
        moment=show_moment(lead.created_at, now, language),
        author_name=None if is_blank(lead.author_name) else lead.author_name,
        source=words.sources.get(lead.source_type, lead.source_type),
        platform=platform,
        status=lead.status,
        status_word=words.statuses.get(lead.status, lead.status),
        intent_word=words.intents.get(lead.intent_label, lead.intent_label),
        priority=lead.priority,
        priority_word=words.priorities.get(lead.priority, lead.priority),
        # Rounded down: 0.849 is still a draft, and must not read as the 85% that would have made it automatic.
        confidence=words.confidence.format(percent=int(lead.confidence_score * 100 + 1e-9)),
        parts=[] if wordless else parts,
        excerpt=None if wordless else _excerpt(lead.content_text, parts),
        instead_of_words=_instead_of_words(lead, words) if wordless else None,
        answers=_answers(lead.meta.get("field_data")),
        contacts=contacts[:MOST_CONTACTS],
        further_contacts=words.more_contacts.format(count=len(contacts) - MOST_CONTACTS) if len(contacts) > MOST_CONTACTS else None,
        post_address=permalink(lead.meta.get("permalink_url")),
        post_words=words.open_post.format(platform=platform),
        external_post_id=lead.external_post_id,
        reasons=[
            Reason(rule.rule, _quote(lead.content_text[rule.start : rule.end]), words.intents.get(rule.intent_label, rule.intent_label))
            for rule in rules
        ],
    )


def _contacts(meta: Mapping[str, Any], words: LeadWords) -> list[Contact]:
    return [_phone(phone, words) for phone in _texts(meta.get("phones"))] + [_email(email, words) for email in _texts(meta.get("emails"))]


def _phone(phone: str, words: LeadWords) -> Contact:
    """Vietnamese numbers as people here write them (0912 345 678), others with their country code."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return Contact(phone, None, phone)
    kind = phonenumbers.PhoneNumberFormat
    shown = phonenumbers.format_number(number, kind.NATIONAL if number.country_code == 84 else kind.INTERNATIONAL)
    return Contact(shown, "tel:" + phonenumbers.format_number(number, kind.E164), words.call.format(number=shown))


def _email(email: str, words: LeadWords) -> Contact:
    name, _, host = email.partition("@")
    fit = name and host and all(character.isascii() and (character.isalnum() or character in "._+-") for character in name + host)
    return Contact(email, f"mailto:{email}" if fit else None, words.write_to.format(address=email))


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str) and not is_blank(text)] if isinstance(value, list) else []


def _excerpt(text: str, parts: Sequence[Stretch]) -> list[Stretch] | None:
    if len(text) <= LONG_TEXT_CHARACTERS and len(text.splitlines()) <= LONG_TEXT_LINES:
        return None
    start = len(text) - len(text.lstrip())
    end = start + len("".join(text[start:].splitlines(keepends=True)[:EXCERPT_LINES]).rstrip())
    if end - start > EXCERPT_CHARACTERS:
        end = start + EXCERPT_CHARACTERS
        gap = text.rfind(" ", end - 30, end + 1)  # between two words, when there is a gap near by
        end = gap if gap > start else end
    return cut_out(parts, start, end)


def _instead_of_words(lead: Lead, words: LeadWords) -> str:
    if lead.source_type == SourceType.LEAD_FORM:
        return words.filled_form
    attachments = lead.meta.get("attachments")
    kinds = [item.get("type") for item in attachments if isinstance(item, dict)] if isinstance(attachments, list) else []
    if not kinds:
        return words.no_words
    other = words.attachments[""]
    counted = Counter(words.attachments.get(kind, other) if isinstance(kind, str) else other for kind in kinds)
    return words.no_words_but.format(attachments=", ".join(f"{count} {word}" for word, count in counted.items()))


def _answers(field_data: Any) -> list[tuple[str, str]]:
    """What a lead form asked and was told."""
    listed = field_data if isinstance(field_data, list) else []
    return [
        (item["name"], ", ".join(_texts(item.get("values"))))
        for item in listed[:MOST_ANSWERS]
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]


def _quote(matched: str) -> str:
    one_line = " ".join(matched.split())
    return one_line if len(one_line) <= QUOTE_CHARACTERS else one_line[: QUOTE_CHARACTERS - 1] + "…"
