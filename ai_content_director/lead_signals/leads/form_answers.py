"""What a person wrote into a lead form: who they are, how to reach them, and all of it as lines to read.

`field_data` is Graph's shape, `[{"name": "phone_number", "values": ["…"]}]`, wherever it comes from: Graph itself, a relay that had
fetched it already, or `meta` of a lead. It is what strangers wrote, so everything in it is read with distrust and within bounds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS
from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.json_body import JsonValue
from lead_signals.leads.form_field import Asks, asks_for, folded_words, question
from lead_signals.platforms.spoken_text import LONGEST_NAME_CHARACTERS, LONGEST_TEXT_CHARACTERS, text_without_nul

MOST_ANSWERS: Final = 100
MOST_VALUES: Final = 20
LONGEST_VALUE_CHARACTERS: Final = 4_096
LONGEST_QUESTION_KEPT_CHARACTERS: Final = 1_024
MOST_CONTACTS: Final = 20
LONGEST_PHONE_CHARACTERS: Final = 40
LARGEST_NUMBER: Final = 10**LONGEST_PHONE_CHARACTERS
# Where these come first in a name, the family speaks first: "Nguyễn" + "Thu Hà", not the other way round. They are borne by some 90 %.
_FAMILY_NAMES: Final = frozenset(folded_words("Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Đoàn Mai"))
_CALLED: Final = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.VOIP,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
    }
)


@dataclass(frozen=True, slots=True)
class FormAnswers:
    """`phones` in E.164, those of phone questions first; `emails` in lower case; `text` a line "question: answer" for each answer.

    All are free of U+0000. `name` is None when no question asked for it, or nobody answered.
    """

    name: str | None
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    text: str

    @property
    def reachable(self) -> bool:
        """Whether the person left a way to reach them."""
        return bool(self.phones or self.emails)


@dataclass(frozen=True, slots=True)
class _Answer:
    name: str
    asks: Asks
    values: tuple[str, ...]


def form_answers(field_data: JsonValue) -> FormAnswers:
    """What these answers say. Never raises: what is of another shape is not there."""
    answers = _read(field_data)
    phones, emails = _contacts(answers)
    return FormAnswers(_name(answers), phones, emails, "\n".join(_lines(answers))[:LONGEST_TEXT_CHARACTERS])


def kept_field_data(field_data: JsonValue) -> list[JsonValue]:
    """The same answers as `meta.field_data` keeps them: the known shape, bounded, U+0000 made visible."""
    return [{"name": answer.name, "values": list(answer.values)} for answer in _read(field_data)]


def _read(field_data: JsonValue) -> list[_Answer]:
    entries = field_data[:MOST_ANSWERS] if isinstance(field_data, list) else []
    answers = []
    for entry in entries:
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str) and name.strip():
            kept = text_without_nul(name[:LONGEST_QUESTION_KEPT_CHARACTERS])
            answers.append(_Answer(kept, asks_for(kept), _values(entry.get("values"))))
    return answers


def _values(values: JsonValue) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    read = (_value(value) for value in listed[:MOST_VALUES])
    return tuple(value for value in read if value)


def _value(value: JsonValue) -> str:
    """A value as text; relays have handed over phone numbers as numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and abs(value) > LARGEST_NUMBER):
        return ""
    return text_without_nul(str(value)[:LONGEST_VALUE_CHARACTERS].strip())


def _contacts(answers: Sequence[_Answer]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    phones: dict[str, None] = {}
    emails: dict[str, None] = {}
    left = LONGEST_READ_CHARACTERS  # a text of nothing but numbers would cost seconds
    for answer in sorted(answers, key=lambda answer: answer.asks is not Asks.PHONE):
        for value in answer.values:
            found = find_contact_details(value[:left])
            left -= min(left, len(value))
            emails |= dict.fromkeys(found.emails)
            if answer.asks is not Asks.ANOTHER_NUMBER:
                phones |= dict.fromkeys(found.phones)
            if left and answer.asks is Asks.PHONE and not found.phones and (foreign := _foreign_phone(value)) is not None:
                phones[foreign] = None
    return tuple(phones)[:MOST_CONTACTS], tuple(emails)[:MOST_CONTACTS]


def _foreign_phone(value: str) -> str | None:
    """A number of another country, where a phone was asked for; hotlines are no person's."""
    if len(value) > LONGEST_PHONE_CHARACTERS:
        return None
    try:
        number = phonenumbers.parse(value, "VN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in _CALLED:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _name(answers: Sequence[_Answer]) -> str | None:
    full, first, last = (_first_value(answers, asks) for asks in (Asks.FULL_NAME, Asks.FIRST_NAME, Asks.LAST_NAME))
    given = full or first  # where "Họ" and "Tên" are asked apart, "Tên" is the given name
    if given and last and not _begins_or_ends_with(given, last):
        whole = f"{last} {given}" if _family_comes_first(answers, last, given) else f"{given} {last}"
    else:
        whole = given or last
    return whole[:LONGEST_NAME_CHARACTERS] if whole else None


def _first_value(answers: Sequence[_Answer], asks: Asks) -> str:
    return next((" ".join(value.split()) for answer in answers if answer.asks is asks for value in answer.values), "")


def _begins_or_ends_with(name: str, part: str) -> bool:
    words, sought = folded_words(name), folded_words(part)
    return bool(sought) and (words[: len(sought)] == sought or words[-len(sought) :] == sought)


def _family_comes_first(answers: Sequence[_Answer], family: str, given: str) -> bool:
    """Asked in Vietnamese ("Họ"), or borne by Vietnamese; who wrote the family name into the wrong box is left as they wrote it."""
    if any(answer.asks is Asks.LAST_NAME and _first_word(answer.name) == "ho" for answer in answers):
        return True
    return _first_word(family) in _FAMILY_NAMES and _first_word(given) not in _FAMILY_NAMES


def _first_word(name: str) -> str:
    return next(iter(folded_words(name)), "")


def _lines(answers: Iterable[_Answer]) -> Iterable[str]:
    """One line for each answered question; whatever a value holds, it stays on that line."""
    for answer in answers:
        if answer.values:
            asked = question(answer.name)
            yield f"{asked}{' ' if asked.endswith('?') else ': '}{', '.join(_shown(value) for value in answer.values)}"


def _shown(value: str) -> str:
    """The value of a choice is written `từ_10_đến_20_triệu`; an address with an underscore keeps it."""
    if "_" in value and not any(sign.isspace() or sign in "@/" for sign in value):
        value = value.replace("_", " ")
    return " ".join(value.split())
