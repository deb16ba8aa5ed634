"""Somebody sent in a lead form under an ad. Meta delivers ids only; the answers are fetched with the `leadgen_id`."""

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.external_id import decorative_id, external_id
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.meta.reasons import Quarantined, Subtype
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import detail
from lead_signals.platforms.strange_item import StrangeItem

_MOST_ANSWERS = 100
_MOST_VALUES = 20


def read_lead_form(value: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a form: no text, its ids in `meta`, and the answers where a relay has already fetched them.

    Raises StrangeItem when there is no `leadgen_id`.
    """
    where = f"{place.where}.value"
    leadgen_id = external_id(value.get("leadgen_id"), f"{where}.leadgen_id")
    if leadgen_id is None:
        raise StrangeItem(Quarantined.LEADGEN_ID_MISSING, f"{where}.leadgen_id")
    when = said_at(value.get("created_time"), place.now)
    ids = {name: decorative_id(value.get(name)) for name in ("form_id", "ad_id", "adgroup_id", "campaign_id")}
    answers = _answers(value.get("field_data"))
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.LEAD_FORM,
        source_subtype=Subtype.LEAD_AD,
        channel_external_id=place.channel_external_id or decorative_id(value.get("page_id")),
        external_message_id=leadgen_id,
        external_post_id=None,
        external_thread_id=None,
        author_id=None,
        author_name=None,
        content_text="",
        permalink_url=None,
        said_at=when.moment,
        meta={
            "leadgen_id": leadgen_id,
            **{name: text for name, text in ids.items() if text},
            **({"field_data": answers} if answers else {}),
            **when.notes,
        },
    )


def _answers(field_data: JsonValue) -> list[JsonValue]:
    if not isinstance(field_data, list):
        return []
    return [
        {"name": name, "values": _values(answer.get("values"))}
        for answer in field_data[:_MOST_ANSWERS]
        if isinstance(answer, dict) and (name := detail(answer.get("name")))
    ]


def _values(values: JsonValue) -> list[JsonValue]:
    return [text for value in values[:_MOST_VALUES] if (text := detail(value))] if isinstance(values, list) else []
