"""A lead as the page shows it: every value already decided, in one language, so that the template only lays it out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import phonenumbers

from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus
from lead_signals.leads.lead_words import LEAD_WORDS, PLATFORM_NAMES, LeadWords
from lead_signals.leads.matched_words import matched_rules
from lead_signals.leads.message_versions import Version
from lead_signals.leads.rule_names import OwnNames, shown_rule_name
from lead_signals.leads.sender_phone import with_sender_phone
from lead_signals.leads.shown_edits import ShownEdits, show_edits
from lead_signals.leads.shown_text import ShownText, show_text
from lead_signals.page_frame.language import Language, written_number
from lead_signals.page_frame.shown_moment import ShownMoment, show_day, show_moment
from lead_signals.page_frame.unseen_characters import is_blank
from lead_signals.platforms.inbound_signal import SourceType
from lead_signals.platforms.public_url import permalink

MOST_CONTACTS: Final = 6
CONTACT_CHARACTERS: Final = 254
"""As long as an e-mail address may be (RFC 5321)."""
MOST_ANSWERS: Final = 20
ANSWER_CHARACTERS: Final = 300
QUOTE_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach the person. `address` is a `tel:` or `mailto:` link, None when the stored value is not fit for one."""

    text: str
    address: str | None
    action: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that spoke: its name, the words it saw, and the intent it speaks for. `is_rule`: false for statistics and the like."""

    rule: str
    quote: str
    intent: str
    is_rule: bool = True


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
    flags: Sequence[str]
    """What happened to the message beside what the status says."""
    edits: ShownEdits | None
    intent_word: str
    priority: str
    priority_word: str
    confidence: str
    text: ShownText
    text_goes_on: str | None
    """Says so, with the length, when the text is longer than a page shows."""
    instead_of_words: str | None
    answers: Sequence[tuple[str, str]]
    further_answers: str | None
    contacts: Sequence[Contact]
    further_contacts: str | None
    post_address: str | None
    post_words: str
    external_post_id: str | None
    reasons: Sequence[Reason]


def show_lead(
    lead: Lead, now: datetime, language: Language, versions: Sequence[Version] = (), own_names: OwnNames | None = None
) -> ShownLead:
    """`versions` are those of an edited lead's text, newest last; `own_names` are Vietnamese names of the tenant's own rules.

    Never raises for what is stored: `meta` and texts are what strangers wrote, and rows of other versions may hold new words."""
    words = LEAD_WORDS[language]
    rules = [
        replace(rule, rule=shown_rule_name(rule.rule, language, own_names or {}))
        for rule in matched_rules(lead.content_text, lead.meta.get("evidence"))
    ]
    text = show_text(lead.content_text, rules, lead.intent_label)
    contacts, further_contacts = _contacts(lead.meta, words)
    # Once the answers are the text of the lead, listing them beside it would say everything twice.
    answers, further_answers = _answers(None if lead.content_text.strip() else lead.meta.get("field_data"), words)
    platform = PLATFORM_NAMES.get(lead.platform, lead.platform)
    return ShownLead(
        id=lead.id,
        day=show_day(lead.created_at, now, language),
        moment=show_moment(lead.created_at, now, language),
        author_name=None if is_blank(lead.author_name) else lead.author_name,
        source=words.sources.get(lead.source_type, lead.source_type),
        platform=platform,
        status=lead.status,
        status_word=words.statuses.get(lead.status, lead.status),
        flags=_flags(lead, words),
        edits=show_edits(lead, versions, now, language),
        intent_word=words.intents.get(lead.intent_label, lead.intent_label),
        priority=lead.priority,
        priority_word=words.priorities.get(lead.priority, lead.priority),
        # Rounded down: 0.849 is still a draft, and must not read as the 85% that would have made it automatic.
        confidence=words.confidence.format(percent=int(lead.confidence_score * 100 + 1e-9)),
        text=text,
        text_goes_on=_goes_on(text, words, language) if text.goes_on else None,
        instead_of_words=_instead_of_words(lead, words) if is_blank(lead.content_text) else None,
        answers=answers,
        further_answers=further_answers,
        contacts=contacts,
        further_contacts=further_contacts,
        post_address=permalink(lead.meta.get("permalink_url")),
        post_words=words.open_post.format(platform=platform),
        external_post_id=lead.external_post_id,
        reasons=[
            Reason(
                rule.rule,
                _quote(lead.content_text[rule.start : rule.end]),
                words.intents.get(rule.intent_label, rule.intent_label),
                is_rule=rule.rule not in words.beside_rules.values(),
            )
            for rule in rules
        ],
    )


def _flags(lead: Lead, words: LeadWords) -> list[str]:
    flags = [words.is_hidden] if lead.meta.get("hidden") is True else []
    if "removed_at" in lead.meta and lead.status != LeadStatus.WITHDRAWN:
        flags.append(words.statuses[LeadStatus.WITHDRAWN])
    return flags


def _goes_on(text: ShownText, words: LeadWords, language: Language) -> str:
    return words.text_goes_on.format(shown=written_number(text.shown_characters, language), total=written_number(text.characters, language))


def _contacts(meta: Mapping[str, Any], words: LeadWords) -> tuple[list[Contact], str | None]:
    """The first few, and how many more there are."""
    phones, emails = with_sender_phone(_texts(meta.get("phones")), meta), _texts(meta.get("emails"))
    shown = [_phone(phone, words) for phone in phones[:MOST_CONTACTS]]
    shown += [_email(email, words) for email in emails[: MOST_CONTACTS - len(shown)]]
    further = len(phones) + len(emails) - len(shown)
    return shown, words.more_contacts.format(count=further) if further else None


def _phone(phone: str, words: LeadWords) -> Contact:
    """Vietnamese numbers as people here write them (0912 345 678), others with their country code."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        shown = _clipped(phone, CONTACT_CHARACTERS)
        return Contact(shown, None, shown)
    kind = phonenumbers.PhoneNumberFormat
    shown = phonenumbers.format_number(number, kind.NATIONAL if number.country_code == 84 else kind.INTERNATIONAL)
    return Contact(shown, "tel:" + phonenumbers.format_number(number, kind.E164), words.call.format(number=shown))


def _email(email: str, words: LeadWords) -> Contact:
    name, _, host = email.partition("@")
    fit = name and host and all(character.isascii() and (character.isalnum() or character in "._+-") for character in name + host)
    shown = _clipped(email, CONTACT_CHARACTERS)
    return Contact(shown, f"mailto:{email}" if fit and shown == email else None, words.write_to.format(address=shown))


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str) and not is_blank(text)] if isinstance(value, list) else []


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


def _answers(field_data: Any, words: LeadWords) -> tuple[list[tuple[str, str]], str | None]:
    """What a lead form asked and was told, the first few; and how many more there are."""
    listed = field_data if isinstance(field_data, list) else []
    told = [item for item in listed if isinstance(item, dict) and isinstance(item.get("name"), str)]
    shown = [
        (_clipped(item["name"], ANSWER_CHARACTERS), _clipped(", ".join(_texts(item.get("values"))), ANSWER_CHARACTERS))
        for item in told[:MOST_ANSWERS]
    ]
    further = len(told) - len(shown)
    return shown, words.more_answers.format(count=further) if further else None


def _quote(matched: str) -> str:
    return _clipped(" ".join(matched.split()), QUOTE_CHARACTERS)


def _clipped(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"
