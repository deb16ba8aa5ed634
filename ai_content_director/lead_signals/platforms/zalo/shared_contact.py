"""Somebody agreed to share name, phone and address with the Official Account: Zalo's lead form, inside the conversation."""

from collections.abc import Iterator

from lead_signals.json_body import JsonObject, JsonValue
from lead_signals.platforms.inbound_signal import InboundSignal, SourceType, Understood
from lead_signals.platforms.read_one_item import ItemPlace
from lead_signals.platforms.said_at import said_at
from lead_signals.platforms.spoken_text import detail, person_name
from lead_signals.platforms.strange_item import StrangeItem
from lead_signals.platforms.zalo.id_of_act import id_of_act
from lead_signals.platforms.zalo.parties import person_of
from lead_signals.platforms.zalo.reasons import Ignored, Quarantined, Subtype

_MOST_ANSWERS = 100


def read_shared_contact(event: JsonObject, place: ItemPlace) -> Understood:
    """The signal of a form (`user_submit_info`): no text, its answers in `meta["field_data"]`, as those of a lead ad.

    The event has no message id: it is known by who sent it in, and when. Raises StrangeItem when it cannot be read.
    """
    person = person_of(event)
    if person.is_account(place.channel_external_id):
        return place.ignored(Ignored.OWN_MESSAGE)
    info = event.get("info")
    if not isinstance(info, dict):
        raise StrangeItem(Quarantined.INFO_NOT_OBJECT, "info")
    answers: list[JsonValue] = [answer for answer, _ in zip(_answers(info), range(_MOST_ANSWERS), strict=False)]
    when = said_at(event.get("timestamp"), place.now)
    return InboundSignal(
        platform=place.platform,
        source_type=SourceType.LEAD_FORM,
        source_subtype=Subtype.SHARED_CONTACT,
        channel_external_id=place.channel_external_id,
        external_message_id=id_of_act("submit_info", event, place.channel_external_id, person.id),
        external_post_id=None,
        external_thread_id=person.thread_id,
        author_id=person.id,
        author_name=person_name(info.get("name")) or person.name,
        content_text="",
        permalink_url=None,
        said_at=when.moment,
        meta={**({"field_data": answers} if answers else {}), **person.notes, **when.notes},
    )


def _answers(info: JsonObject) -> Iterator[JsonValue]:
    for question, answer in info.items():
        if isinstance(answer, dict):  # `full_address`: city, ward, street
            for part, value in answer.items():
                yield from _answer(part, value)
        else:
            yield from _answer(question, answer)


def _answer(question: str, value: JsonValue) -> Iterator[JsonValue]:
    name = detail(question)
    text = detail(str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value)
    if name and text:
        yield {"name": name, "values": [text]}
