"""What people wrote, made fit to store: U+0000 made visible (PostgreSQL cannot hold it), length capped."""

from dataclasses import dataclass

from lead_signals.json_body import JsonValue

LONGEST_TEXT_CHARACTERS = 65_536
LONGEST_NAME_CHARACTERS = 512
LONGEST_DETAIL_CHARACTERS = 1_024

_NUL, _SYMBOL_FOR_NUL = "\x00", "\u2400"


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text and what had to be done to it."""

    text: str
    had_nul: bool = False
    truncated: bool = False

    @property
    def notes(self) -> dict[str, JsonValue]:
        """What `meta` should say about it; empty for an ordinary text."""
        return {**({"had_nul": True} if self.had_nul else {}), **({"truncated": True} if self.truncated else {})}


def spoken_text(written: str) -> SpokenText:
    """The text as we keep it, at most 65,536 characters."""
    return SpokenText(
        text=text_without_nul(written[:LONGEST_TEXT_CHARACTERS]),
        had_nul=_NUL in written,
        truncated=len(written) > LONGEST_TEXT_CHARACTERS,
    )


def person_name(value: JsonValue) -> str | None:
    """A display name of at most 512 characters; None when there is none, or when it is no text."""
    if not isinstance(value, str) or not value.strip():
        return None
    return text_without_nul(value[:LONGEST_NAME_CHARACTERS])


def detail(value: JsonValue) -> str | None:
    """A short text for `meta`, at most 1,024 characters; None when there is none, or when it is no text."""
    if not isinstance(value, str) or not value:
        return None
    return text_without_nul(value[:LONGEST_DETAIL_CHARACTERS])


def text_without_nul(text: str) -> str:
    """The text with each U+0000 shown as U+2400, never dropped silently."""
    return text.replace(_NUL, _SYMBOL_FOR_NUL)
