"""Many rows by one statement: what is written comes back as it was, and what PostgreSQL cannot hold is refused as a value."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateTable

from lead_signals.audit.audit_event import audit_events
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.insert_rows import DO_NOTHING, insert_rows
from lead_signals.database.refused_values import values_refused
from lead_signals.followups.follow_up import follow_ups
from lead_signals.intake.receipt import quarantined_items, receipts
from lead_signals.leads.lead_signal import lead_signals
from lead_signals.leads.message_change import message_changes

WRITTEN_THIS_WAY = (audit_events, follow_ups, lead_signals, message_changes, quarantined_items, receipts)

every_kind = Table(
    "every_kind",
    MetaData(),
    Column("position", BigInteger, Identity(), primary_key=True),
    Column("id", Uuid),
    Column("words", Text),
    Column("said", JSONB(none_as_null=True)),
    Column("moment", DateTime(timezone=True)),
    Column("body", LargeBinary),
    Column("names", ARRAY(Text)),
    Column("signed", Boolean),
    Column("count", Integer),
    Column("score", Double),
    Column("state", Text, server_default="pending"),
    UniqueConstraint("id"),
    prefixes=["TEMPORARY"],
)
VALUES = ("id", "words", "said", "moment", "body", "names", "signed", "count", "score")

SAIGON_BEFORE_1911 = timezone(timedelta(hours=7, minutes=6, seconds=30))

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | STORABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STORABLE, inner, max_size=4),
    max_leaves=12,
)
ZONES = st.integers(-15 * 3600, 15 * 3600).map(lambda seconds: timezone(timedelta(seconds=seconds)))
MOMENTS = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - they get theirs
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | st.uuids() | st.uuids().map(lambda made: asyncpg.pgproto.pgproto.UUID(str(made))),
            "words": st.none() | STORABLE,
            "said": JSON,
            "moment": st.none() | MOMENTS,
            "body": st.none() | st.binary(max_size=200),
            "names": st.none() | st.lists(st.none() | STORABLE, max_size=4),
            "signed": st.none() | st.booleans(),
            "count": st.none() | st.integers(-(2**31), 2**31 - 1),
            "score": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        }
    ),
    min_size=1,
    max_size=6,
)


def row(**values: Any) -> dict[str, Any]:
    """A row of `every_kind` with NULL wherever nothing is said."""
    return {name: values.get(name) for name in VALUES}


@asynccontextmanager
async def open_table(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction in which `every_kind` is there and empty; it is rolled back."""
    async with engine.connect() as connection:
        await connection.execute(CreateTable(every_kind))
        yield connection
        await connection.rollback()


@pytest.fixture
async def table(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with open_table(engine) as connection:
        yield connection


def test_every_type_that_is_written_this_way_is_tried_here() -> None:
    assert kinds(every_kind) >= set().union(*(kinds(used) for used in WRITTEN_THIS_WAY))


def kinds(table: Table) -> set[str]:
    return {column.type.compile(postgresql.dialect()) for column in table.columns}  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def write_and_read(database: DatabaseAddresses) -> Iterator[Callable[[Sequence[Mapping[str, Any]]], list[Mapping[str, Any]]]]:
    """Writes rows and reads them back, for tests that run many examples inside one call."""

    async def there_and_back(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        async with connection.begin_nested() as savepoint:
            await insert_rows(connection, every_kind, rows)
            read = await connection.execute(select(*(every_kind.c[name] for name in VALUES)).order_by(every_kind.c.position))
            await savepoint.rollback()
        return [dict(found) for found in read.mappings()]

    with asyncio.Runner() as runner:
        engine = app_engine(database.app, application_name="tests", pool_size=1)
        table = open_table(engine)
        connection = runner.run(table.__aenter__())
        yield lambda rows: runner.run(there_and_back(connection, rows))
        runner.run(table.__aexit__(None, None, None))
        runner.run(engine.dispose())


@settings(max_examples=400, deadline=None, database=None)
@given(rows=ROWS)
@example(rows=[row(words="", said="", names=[], body=b"")])
@example(rows=[row(said={"": None, "b": [None], "a": {}}, names=["NULL", "null", "", '{"x"}', "a,b", "\\"], body=b"\\x41")])
@example(rows=[row(words="\\x41", body=b"\x00\xff"), row(words="null"), row(words="\\u0000"), row(words=":rows $1 %s")])
@example(rows=[row(score=5e-324, said=5e-324), row(score=1.7976931348623157e308, said=1e308), row(score=-0.0), row(score=0.1 + 0.2)])
@example(rows=[row(moment=datetime(2026, 11, 22, 10, 30, 0, 1, UTC)), row(moment=datetime(1900, 1, 1, tzinfo=SAIGON_BEFORE_1911))])
def test_what_is_written_comes_back(
    write_and_read: Callable[[Sequence[Mapping[str, Any]]], list[Mapping[str, Any]]], rows: list[dict[str, Any]]
) -> None:
    for read, written in zip(write_and_read(rows), rows, strict=True):
        assert is_same_json(read["said"], written["said"])
        for name in VALUES:
            if name != "said":
                assert read[name] == written[name], name
        assert str(read["score"]) == str(written["score"])  # minus nought is equal to nought


def is_same_json(read: Any, written: Any) -> bool:
    """Numbers by their value as doubles: jsonb knows one kind of number, and reads 1e22 back as digits."""
    if isinstance(written, dict):
        return read.keys() == written.keys() and all(is_same_json(read[key], value) for key, value in written.items())
    if isinstance(written, list):
        return len(read) == len(written) and all(map(is_same_json, read, written))
    if isinstance(written, float) and not isinstance(read, bool):
        return float(read) == written
    return type(read) is type(written) and read == written


async def test_none_is_sql_null_at_the_top_and_null_inside(table: AsyncConnection) -> None:
    await insert_rows(table, every_kind, [row(said=None), row(said={"a": None}), row(said=[None])])
    said = await table.execute(text("SELECT said IS NULL, said::text FROM every_kind ORDER BY position"))
    assert [tuple(found) for found in said] == [(True, None), (False, '{"a": null}'), (False, "[null]")]


async def test_numbers_beyond_a_double_keep_every_digit(table: AsyncConnection) -> None:
    vast = 10**400 + 1
    await insert_rows(table, every_kind, [row(said={"n": vast, "m": -(2**64)})])
    assert (await table.execute(text("SELECT said::text FROM every_kind"))).scalar_one() == f'{{"m": {-(2**64)}, "n": {vast}}}'


async def test_what_is_no_number_is_null(table: AsyncConnection) -> None:
    strange = (float("nan"), float("inf"), float("-inf"))
    await insert_rows(table, every_kind, [row(score=number, said=[number]) for number in strange])
    read = await table.execute(select(every_kind.c.score, every_kind.c.said))
    assert [tuple(found) for found in read] == [(None, [None])] * 3


@pytest.mark.parametrize("depth", [32, 250, 500])
async def test_deep_json(table: AsyncConnection, depth: int) -> None:
    await insert_rows(table, every_kind, [row(said=nested(depth))])
    assert (await table.execute(text("SELECT said::text FROM every_kind"))).scalar_one() == "[" * depth + "]" * depth


def nested(depth: int) -> list[Any]:
    deep: list[Any] = []
    for _ in range(depth - 1):
        deep = [deep]
    return deep


REFUSED: dict[str, dict[str, Any]] = {
    "U+0000 in a text": {"words": "a\x00b"},
    "U+0000 in a list of texts": {"names": ["a", "\x00"]},
    "U+0000 in JSON": {"said": {"a": ["\x00"]}},
    "U+0000 in a key of JSON": {"said": {"\x00": 1}},
    "half of a surrogate pair in a text": {"words": "a\ud800"},
    "the other half": {"words": "\udc00b"},
    "half of a surrogate pair in a list of texts": {"names": ["\ud800"]},
    "half of a surrogate pair in JSON": {"said": ["\udfff"]},
    "half of a surrogate pair in a key of JSON": {"said": {"\ud800": 1}},
    "a whole number beyond its column": {"count": 2**31},
    "a whole number beyond everything": {"count": 10**30},
    "a whole number beyond a double": {"score": 10**400},
    "a fraction for a whole number": {"count": 1.5},
    "a text for a number": {"count": "mười"},
    "a text for an id": {"id": "không phải"},
    "a number twice in a unique column": {"id": UUID(int=1)},
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_postgresql_cannot_hold_is_refused_as_a_value(table: AsyncConnection, what: str) -> None:
    await insert_rows(table, every_kind, [row(id=UUID(int=1))])
    with pytest.raises(DBAPIError) as refused:
        async with table.begin_nested():
            await insert_rows(table, every_kind, [row(words="láng giềng"), row(**REFUSED[what])])
    assert values_refused(refused.value)
    await insert_rows(table, every_kind, [row(words="còn dùng được")])
    assert (await table.execute(select(every_kind.c.words).order_by(every_kind.c.position))).scalars().all() == [None, "còn dùng được"]


async def test_a_text_too_long_for_an_index_is_refused_as_a_value(table: AsyncConnection) -> None:
    await table.execute(text("CREATE UNIQUE INDEX ON every_kind (words)"))
    with pytest.raises(DBAPIError) as refused:
        await insert_rows(table, every_kind, [row(words="".join(uuid4().hex for _ in range(200)))])
    assert values_refused(refused.value)


async def test_rows_are_inserted_in_their_order_and_told_in_it(table: AsyncConnection) -> None:
    ids = [uuid4() for _ in range(700)]
    told = await insert_rows(table, every_kind, [row(id=each) for each in ids], returning=["id", "position"])
    assert [found.id for found in told] == ids
    assert [found.position for found in told] == sorted(found.position for found in told)


async def test_of_two_alike_in_one_statement_the_first_is_kept(table: AsyncConnection) -> None:
    there, new = uuid4(), uuid4()
    await insert_rows(table, every_kind, [row(id=there, words="có sẵn")])
    rows = [row(id=there, words="lặp lại"), row(id=new, words="trước"), row(id=new, words="sau"), row(words="không tên")]
    told = await insert_rows(table, every_kind, rows, on_conflict=DO_NOTHING, returning=["words"])
    assert [found.words for found in told] == ["trước", "không tên"]
    assert (await table.execute(select(every_kind.c.words).order_by(every_kind.c.position))).scalars().all() == [
        "có sẵn",
        "trước",
        "không tên",
    ]


async def test_columns_that_are_not_named_get_their_default(table: AsyncConnection) -> None:
    told = await insert_rows(table, every_kind, [{"words": "a"}, {"words": "b"}], returning=["words", "state", "score"])
    assert [tuple(found) for found in told] == [("a", "pending", None), ("b", "pending", None)]


async def test_rows_of_different_columns_are_a_mistake_that_shows(table: AsyncConnection) -> None:
    for odd in ({"words": "b", "count": 1}, {"count": 1}, {}):
        with pytest.raises(ValueError, match="every_kind"):
            await insert_rows(table, every_kind, [{"words": "a"}, odd])


async def test_no_rows_ask_nothing_of_the_database(table: AsyncConnection) -> None:
    await table.close()
    assert await insert_rows(table, every_kind, [], returning=["id"]) == []
