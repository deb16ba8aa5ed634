"""A moment as a person reads it: relative while it is fresh, exact on demand, in Vietnam's time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

from lead_signals.page_frame.language import FRAME_WORDS, Language

# Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975; written out, because a bare machine has no time zone files.
VIETNAM_TIME: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")

_WEEKDAYS: Final = {
    Language.VI: ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    Language.EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class ShownMoment:
    """`relative` is short ("5 phút trước", "14:05"), `exact` names day and second, `machine` is ISO 8601 for `<time datetime>`."""

    relative: str
    exact: str
    machine: str


def show_moment(moment: datetime, now: datetime, language: Language) -> ShownMoment:
    """Both are timezone-aware. Minutes and hours for the last 12 hours of the same day, then the clock: the day stands above the list."""
    local = moment.astimezone(VIETNAM_TIME)
    return ShownMoment(
        relative=_relative(local, now.astimezone(VIETNAM_TIME), language),
        exact=f"{local:%H:%M:%S} {_written_date(local.date(), language)} (UTC+7)",
        machine=local.isoformat(timespec="seconds"),
    )


def show_day(moment: datetime, now: datetime, language: Language) -> str:
    """The day a list groups by: today and yesterday by name, each with its date."""
    words = FRAME_WORDS[language]
    day, today = moment.astimezone(VIETNAM_TIME).date(), now.astimezone(VIETNAM_TIME).date()
    name = {today: words.today, today - timedelta(days=1): words.yesterday}.get(day, _WEEKDAYS[language][day.weekday()])
    return f"{name}, {_written_date(day, language)}"


def show_date(moment: datetime, language: Language) -> str:
    """The date alone: 23/11/2026, 23 Nov 2026."""
    return _written_date(moment.astimezone(VIETNAM_TIME).date(), language)


def _relative(local: datetime, now: datetime, language: Language) -> str:
    words = FRAME_WORDS[language]
    minutes = int((now - local).total_seconds() // 60)
    if minutes < 1:  # also a clock that runs a little ahead
        return words.just_now if minutes > -5 else f"{local:%H:%M}"
    if minutes < 60:
        return words.minute_ago if minutes == 1 else words.minutes_ago.format(count=minutes)
    if minutes < 12 * 60 and local.date() == now.date():
        hours = minutes // 60
        return words.hour_ago if hours == 1 else words.hours_ago.format(count=hours)
    return f"{local:%H:%M}"


def _written_date(day: date, language: Language) -> str:
    return f"{day:%d/%m/%Y}" if language is Language.VI else f"{day.day} {day:%b %Y}"
