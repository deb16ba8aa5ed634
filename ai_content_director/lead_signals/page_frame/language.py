"""The language a person reads the console in: Vietnamese unless they chose English."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LANGUAGE_COOKIE: Final = "lead_signals_language"
LANGUAGE_COOKIE_SECONDS: Final = 365 * 24 * 3600


class Language(StrEnum):
    """The value is the BCP 47 tag for `<html lang>`."""

    VI = "vi"
    EN = "en"

    @property
    def own_name(self) -> str:
        """The language's name in itself."""
        return "Tiếng Việt" if self is Language.VI else "English"


class UnknownLanguage(ValueError):
    """A language was asked for that the console does not speak."""


def remembered_language(cookie: str | None) -> Language:
    """The language kept in the cookie; Vietnamese when there is none or it says something odd."""
    return Language(cookie) if cookie in set(Language) else Language.VI


def chosen_language(asked: str | None, cookie: str | None) -> Language:
    """The language asked for in the address, else the remembered one. Raises UnknownLanguage when the address asks for another."""
    if not asked:
        return remembered_language(cookie)
    if asked not in set(Language):
        raise UnknownLanguage(asked)
    return Language(asked)


def written_number(number: int, language: Language) -> str:
    """The number with the language's mark between thousands: 1.234 in Vietnamese, 1,234 in English."""
    grouped = f"{number:,}"
    return grouped.replace(",", ".") if language is Language.VI else grouped


@dataclass(frozen=True, slots=True)
class FrameWords:
    """What the frame itself says."""

    skip_to_content: str
    choose_language: str
    just_now: str
    minute_ago: str
    minutes_ago: str
    hour_ago: str
    hours_ago: str
    today: str
    yesterday: str
    unseen_character: str


FRAME_WORDS: Final = MappingProxyType(
    {
        Language.VI: FrameWords(
            skip_to_content="Đến thẳng nội dung",
            choose_language="Ngôn ngữ",
            just_now="vừa xong",
            minute_ago="1 phút trước",
            minutes_ago="{count} phút trước",
            hour_ago="1 giờ trước",
            hours_ago="{count} giờ trước",
            today="Hôm nay",
            yesterday="Hôm qua",
            unseen_character="Ký tự ẩn trong nội dung gốc",
        ),
        Language.EN: FrameWords(
            skip_to_content="Skip to content",
            choose_language="Language",
            just_now="just now",
            minute_ago="1 minute ago",
            minutes_ago="{count} minutes ago",
            hour_ago="1 hour ago",
            hours_ago="{count} hours ago",
            today="Today",
            yesterday="Yesterday",
            unseen_character="Hidden character in the original text",
        ),
    }
)
