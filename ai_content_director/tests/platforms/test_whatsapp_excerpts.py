"""One delivery for the numbers of several owners: each gets its own part, whole, and never a word said to somebody else."""

from collections.abc import Iterable
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from lead_signals.json_body import JsonValue, parse_json_body
from lead_signals.platforms.inbound_signal import Reading
from lead_signals.platforms.whatsapp.business_account import read_signals
from lead_signals.platforms.whatsapp.whatsapp_excerpts import whatsapp_excerpts
from tests.platforms.adapter_conformance import NOW, STRANGE_VALUES, fuzzed

OBJECT = "whatsapp_business_account"
NUMBERS = ("101", "102", "103")
OWNERS = ("ANH", "BINH", "CHI")


def change(number: Any, *messages: Any, field: Any = "messages", **value: Any) -> dict[str, Any]:
    metadata = {} if number is None else {"phone_number_id": number}
    return {"field": field, "value": {"metadata": metadata, "messages": list(messages)} | value}


def said_to(number: Any, message_id: str = "1") -> dict[str, Any]:
    body = {"body": f"nói với <{number}>"}
    return {"from": "84900000101", "id": f"wamid.{message_id}", "timestamp": "1795260000", "type": "text", "text": body}


def revoked_from(number: Any) -> dict[str, Any]:
    return {"from": "84900000101", "id": "wamid.9", "type": "revoke", "revoke": {"original_message_id": f"<{number}>"}}


def everything_about(number: Any) -> st.SearchStrategy[Any]:
    """Changes that name this number, with a mark of it in whatever they say."""
    mark = f"<{number}>"
    items = st.lists(
        st.sampled_from([said_to(number), said_to(number, "2"), revoked_from(number), mark, None, {"id": mark, "type": mark}]), max_size=3
    )
    return st.one_of(
        items.map(lambda listed: change(number, *listed)),
        items.map(lambda listed: change(number, statuses=listed, errors=mark)),
        items.map(lambda listed: change(number, field="standby", messages=None, standby={"messages": listed})),
        st.sampled_from(["account_update", 7, None]).map(lambda field: change(number, field=field, messages=None, news=mark)),
    )


NAMELESS = STRANGE_VALUES | st.sampled_from([change(None, said_to(None)), change({"a": 1}, said_to(None)), {"field": "account_update"}])
CHANGES = st.one_of(*(everything_about(number) for number in NUMBERS), NAMELESS)
ENTRIES = STRANGE_VALUES | st.builds(
    lambda account, changes: {"id": "700900800100"} | account | {"changes": changes},
    st.fixed_dictionaries({}, optional={"time": st.sampled_from([1795260009, "1795260009", "?"]), "id": STRANGE_VALUES}),
    st.lists(CHANGES, max_size=5),
)
BODIES = st.builds(
    lambda entries, said: {"entry": entries, "tenant_id": "<101><102><103>"} | said,
    st.lists(ENTRIES, max_size=4) | STRANGE_VALUES,
    st.sampled_from([{"object": OBJECT}, {}, {"object": None}, {"object": "page"}, {"object": 7}]),
)


@fuzzed
@given(body=BODIES, owner_by_number=st.fixed_dictionaries(dict.fromkeys((*NUMBERS, None), st.sampled_from(OWNERS))))
def test_an_excerpt_reads_as_the_part_it_was_cut_for(body: dict[str, Any], owner_by_number: dict[str | None, str]) -> None:
    reading = read_signals(body, NOW)
    owner_of = {number: owner_by_number[number] for number in reading.channels}
    excerpts = whatsapp_excerpts(body, owner_of)
    assert excerpts.keys() == set(owner_of.values())
    for owner, excerpt in excerpts.items():
        numbers = [number for number, theirs in owner_of.items() if theirs == owner]
        assert _said(read_signals(parse_json_body(excerpt), NOW)) == _said(reading.for_channels(numbers))
        if isinstance(body["entry"], list) and body.get("object") in (None, OBJECT):
            foreign = [number for number in NUMBERS if number not in numbers]
            assert not [number for number in foreign if f"<{number}>".encode() in excerpt]


def _said(reading: Reading) -> tuple[Any, ...]:
    """All of a reading but the paths: items move up where others were cut out."""
    return (
        reading.signals,
        reading.changes,
        reading.ignored,
        [(item.reason, item.item, item.channel_external_id) for item in reading.quarantined],
    )


def test_one_account_with_the_numbers_of_two_tenants_is_cut_by_change() -> None:
    first, second, third = change("101", said_to("101")), change("102", said_to("102")), change("101", said_to("101", "3"))
    news = {"field": "account_update", "value": {"event": "VERIFIED_ACCOUNT"}}
    body = {
        "object": OBJECT,
        "relay": "names everybody",
        "entry": [{"id": "7", "time": 5, "words": "<102>", "changes": [first, second, third, news]}],
    }
    excerpts = whatsapp_excerpts(body, {"101": "ANH", "102": "BINH", None: "ANH"})
    assert _entries(excerpts["ANH"]) == [{"id": "7", "time": 5, "changes": [first, third, news]}]
    assert _entries(excerpts["BINH"]) == [{"id": "7", "time": 5, "changes": [second]}]


def test_what_nobody_owns_is_in_no_excerpt() -> None:
    body: dict[str, Any] = {
        "object": OBJECT,
        "entry": [{"changes": [change("101", said_to("101")), change("102", said_to("102")), "<?>"]}, "<?>"],
    }
    assert _entries(whatsapp_excerpts(body, {"101": "ANH"})["ANH"]) == [{"changes": [change("101", said_to("101"))]}]


def test_a_long_frame_is_not_multiplied() -> None:
    numbers = [str(number) for number in range(500)]
    changes: list[JsonValue] = [change(number) for number in numbers]
    body: dict[str, JsonValue] = {"object": OBJECT, "entry": [{"id": "7" * 300_000, "time": "9" * 300_000, "changes": changes}]}
    excerpts = whatsapp_excerpts(body, {number: number for number in numbers})
    assert sum(map(len, excerpts.values())) < len(orjson.dumps(body))


def _entries(excerpt: bytes) -> Iterable[JsonValue]:
    body = parse_json_body(excerpt)
    assert body.keys() == {"object", "entry"}
    entries = body["entry"]
    assert isinstance(entries, list)
    return entries
