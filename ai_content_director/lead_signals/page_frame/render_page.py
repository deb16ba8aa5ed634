"""Make the HTML of a page from a slice's template and values. Everything is escaped, always; an unknown name is an error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lead_signals.page_frame.language import FRAME_WORDS, Language
from lead_signals.page_frame.static_file import static_file
from lead_signals.page_frame.unseen_characters import few_pieces, plain

_OWN_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a switcher."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Switcher:
    """A choice in the top bar, sent as `parameter` in the address of the first page. Works without a script, by its button."""

    label: str
    button: str
    parameter: str
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page's content. `language_addresses` is this very page in each language."""

    title: str
    language: Language
    language_addresses: Mapping[Language, str]
    switcher: Switcher | None = None
    place: str | None = None
    """Where the person is (a tenant's name), when there is nothing to switch to."""


def page_templates(folder: Path) -> Environment:
    """The templates of one slice, on top of the frame's own (`page_frame/…`). A slice keeps its own below its name: `leads/…`."""
    templates = Environment(
        loader=FileSystemLoader([folder, _OWN_TEMPLATES]),
        autoescape=True,  # always, whatever the file is called
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["few_pieces"] = few_pieces
    templates.filters["plain"] = plain
    templates.globals["static_address"] = lambda name: static_file(name).address
    templates.globals["languages"] = tuple(Language)
    return templates


def render_page(templates: Environment, template: str, frame: Frame, **values: Any) -> str:
    """The page's HTML. The template sees `frame`, `frame_words` and `values`. Raises UndefinedError for a name nobody gave."""
    return templates.get_template(template).render(frame=frame, frame_words=FRAME_WORDS[frame.language], **values)
