"""A lead ad's form as one person filled it in."""

from dataclasses import dataclass
from datetime import datetime

from lead_signals.graph_api.graph_value import graph_id, graph_moment, graph_text
from lead_signals.json_body import JsonObject, JsonValue

LEAD_FORM_FIELDS = "id,created_time,ad_id,form_id,field_data"
LONGEST_ANSWER_CHARACTERS = 4_096


@dataclass(frozen=True, slots=True)
class LeadAnswer:
    """One question's name as the form's maker wrote it (`full_name`, `phone_number`, `bạn_cần_gì`), and what the person gave."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeadForm:
    """What a person sent. `form_id` and `ad_id` are None when Graph names none (organic forms have no ad); `created_at` has a zone.

    `unread_answers` counts entries of an unknown shape: they are left out of `answers`, and nobody should believe the form was shorter.
    """

    leadgen_id: str
    form_id: str | None
    ad_id: str | None
    created_at: datetime | None
    answers: tuple[LeadAnswer, ...]
    unread_answers: int = 0


def read_lead_form(leadgen_id: str, said: JsonObject) -> LeadForm | None:
    """The form in Graph's answer about `leadgen_id`; None when the answer holds no field_data."""
    field_data = said.get("field_data")
    if not isinstance(field_data, list):
        return None
    answers = tuple(answer for entry in field_data if (answer := _read_answer(entry)) is not None)
    return LeadForm(
        leadgen_id=leadgen_id,
        form_id=graph_id(said.get("form_id")),
        ad_id=graph_id(said.get("ad_id")),
        created_at=graph_moment(said.get("created_time")),
        answers=answers,
        unread_answers=len(field_data) - len(answers),
    )


def _read_answer(entry: JsonValue) -> LeadAnswer | None:
    if not isinstance(entry, dict) or not isinstance(values := entry.get("values"), list):
        return None
    name = graph_text(entry.get("name"))
    read = [_read_value(value) for value in values if value is not None]
    if name is None or None in read:
        return None
    return LeadAnswer(name, tuple(value for value in read if value is not None))


def _read_value(value: JsonValue) -> str | None:
    """A value as text; phone numbers have come as numbers."""
    if isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str):
        return None
    return graph_text(value, LONGEST_ANSWER_CHARACTERS) or ""
