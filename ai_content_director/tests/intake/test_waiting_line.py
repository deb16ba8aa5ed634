"""The line before the database: turns between lanes, and its bounds. No database, no transaction, only who stands where."""

import asyncio
from collections.abc import Iterator

import pytest

from lead_signals.cli import CONNECTIONS_AT_ONCE
from lead_signals.database.new_id import new_id
from lead_signals.intake.prepare import Prepared
from lead_signals.intake.route_delivery import Incoming
from lead_signals.intake.waiting_line import MOST_OF_ONE_LANE, MOST_WAITING, MOST_WAITING_BYTES, Waiting, WaitingLine
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.inbound_signal import IgnoredItem
from lead_signals.request_body import BODY_LIMIT_BYTES

PLENTY = 1_000_000


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Only so that answers have a loop to belong to; it never runs."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


class Queue:
    """A line in which deliveries have names. The lane is what stands before the name's number: `a1` stands in lane `a`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, line: WaitingLine) -> None:
        self._loop, self.line = loop, line
        self._names: dict[int, str] = {}

    def join(self, *names: str, items: int = 1, size_bytes: int = 100) -> None:
        for name in names:
            waiting = Waiting(delivery(items, size_bytes), name[0], self._loop.create_future())
            self._names[id(waiting)] = name
            self.line.join(waiting)

    def take(self, *, most_deliveries: int = PLENTY, most_items: int = PLENTY, most_bytes: int = PLENTY) -> list[str]:
        return self.names(self.line.take(most_deliveries=most_deliveries, most_items=most_items, most_bytes=most_bytes))

    def names(self, taken: list[Waiting]) -> list[str]:
        return [self._names[id(waiting)] for waiting in taken]


def delivery(items: int, size_bytes: int) -> Incoming:
    prepared = Prepared(new_id(), (), (), (IgnoredItem("nothing_said", None),) * items, ())
    return Incoming(ADAPTERS["facebook"], b" " * size_bytes, {}, prepared, None, signed=True)


@pytest.fixture
def queue(loop: asyncio.AbstractEventLoop) -> Queue:
    return Queue(loop, WaitingLine(most_waiting=10, most_bytes=10_000))


def test_first_come_first_served_within_a_lane(queue: Queue) -> None:
    queue.join("a1", "a2", "a3")
    assert queue.take() == ["a1", "a2", "a3"]
    assert len(queue.line) == 0
    assert queue.take() == []


def test_lanes_take_turns(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", "a4", "b1", "c1", "c2")
    assert queue.take() == ["a1", "b1", "c1", "a2", "c2", "a3", "a4"]


def test_who_comes_into_an_empty_lane_stands_behind_the_others_turn_and_not_behind_all_of_theirs(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", "a4")
    assert queue.take(most_deliveries=1) == ["a1"]
    queue.join("b1")
    assert queue.take(most_deliveries=2) == ["a2", "b1"]
    queue.join("b2")
    assert queue.take() == ["a3", "b2", "a4"]


def test_a_turn_goes_on_in_the_next_transaction(queue: Queue) -> None:
    queue.join("a1", "a2", "b1", "b2", "c1", "c2")
    assert [queue.take(most_deliveries=2) for _ in range(4)] == [["a1", "b1"], ["c1", "a2"], ["b2", "c2"], []]


def test_a_transaction_is_bounded_by_items(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", items=4)
    assert queue.take(most_items=8) == ["a1", "a2"]
    assert queue.take(most_items=8) == ["a3"]


def test_a_transaction_is_bounded_by_bytes(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", size_bytes=400)
    assert queue.take(most_bytes=800) == ["a1", "a2"]
    assert queue.take(most_bytes=800) == ["a3"]


def test_one_is_always_taken_however_large_and_then_alone(queue: Queue) -> None:
    queue.join("a1", items=50, size_bytes=4_000)
    queue.join("b1")
    assert queue.take(most_items=10, most_bytes=10) == ["a1"]
    assert queue.take(most_items=10, most_bytes=PLENTY) == ["b1"]


def test_what_was_too_large_for_the_rest_of_a_transaction_is_the_first_of_the_next(queue: Queue) -> None:
    queue.join("a1")
    queue.join("b1", items=50)
    queue.join("c1", "a2")
    assert queue.take(most_items=10) == ["a1"]
    assert queue.take(most_items=10) == ["b1"]
    assert queue.take(most_items=10) == ["c1", "a2"]


def test_one_lane_fills_half_by_number(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", "a4")
    assert queue.line.has_room_for("a", 1)
    queue.join("a5")
    assert not queue.line.has_room_for("a", 1)
    assert queue.line.has_room_for("b", 1)


def test_one_lane_fills_half_by_bytes(queue: Queue) -> None:
    queue.join("a1", "a2", size_bytes=2_000)
    assert queue.line.has_room_for("a", 1_000)
    assert not queue.line.has_room_for("a", 1_001)
    assert queue.line.has_room_for("b", 5_000)
    assert not queue.line.has_room_for("b", 5_001)


def test_the_line_is_full_for_everybody_by_number(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4", "c1")
    assert queue.line.has_room_for("d", 1)
    queue.join("c2")
    assert not queue.line.has_room_for("d", 0)


def test_the_line_is_full_for_everybody_by_bytes(queue: Queue) -> None:
    queue.join("a1", "b1", size_bytes=4_500)
    assert queue.line.has_room_for("c", 1_000)
    assert not queue.line.has_room_for("c", 1_001)


def test_an_empty_line_takes_anything(queue: Queue) -> None:
    assert queue.line.has_room_for("a", 1_000_000)
    queue.join("a1", size_bytes=1_000_000)
    assert not queue.line.has_room_for("b", 1)
    queue.take()
    assert queue.line.has_room_for("a", 1_000_000)


def test_room_comes_back_to_the_lane_as_it_is_served(queue: Queue) -> None:
    queue.join("a1", "a2", "a3", "a4", "a5", size_bytes=1_000)
    assert queue.take(most_deliveries=2) == ["a1", "a2"]
    queue.join("b1")
    assert queue.line.has_room_for("a", 2_000)
    assert not queue.line.has_room_for("a", 2_001)
    queue.join("a6", "a7", size_bytes=0)
    assert not queue.line.has_room_for("a", 0)


def test_nothing_is_remembered_of_lanes_that_are_served(queue: Queue) -> None:
    for number in range(300):
        queue.join(chr(200 + number) + "1")
        queue.take()
    assert (len(queue.line), queue.line._lanes, queue.line._bytes_of, queue.line._bytes) == (0, {}, {}, 0)


def test_dissolving_leaves_nobody(queue: Queue) -> None:
    queue.join("a1", "a2", "b1", size_bytes=2_500)
    assert sorted(queue.names(queue.line.dissolve())) == ["a1", "a2", "b1"]
    assert (len(queue.line), queue.take(), queue.line.dissolve()) == (0, [], [])
    queue.join("a3")
    assert queue.line.has_room_for("a", 4_900)


def test_the_bounds_of_the_product_hold_a_few_of_the_largest_deliveries_of_one_tenant() -> None:
    assert MOST_WAITING_BYTES * MOST_OF_ONE_LANE >= 4 * BODY_LIMIT_BYTES
    assert MOST_WAITING * MOST_OF_ONE_LANE >= 256


def test_the_line_is_full_before_the_process_takes_no_more_connections() -> None:
    """Or a flood would hold them all, and nobody would ever hear that the line is full."""
    assert MOST_WAITING < CONNECTIONS_AT_ONCE
