"""The line before the database: deliveries that wait for the next transaction, bounded, and fair between tenants."""

import asyncio
from collections import deque
from dataclasses import dataclass

from lead_signals.intake.admission import Admission
from lead_signals.intake.route_delivery import Incoming, RoutedDelivery

# Deliveries; below the 1,000 connections that one API process takes, or the line would never be full and a flood would hold them all.
MOST_WAITING = 800
MOST_WAITING_BYTES = 16 * 1024 * 1024  # of raw bodies; read, one made of empty objects takes 24 times as much memory, an ordinary one 3
MOST_OF_ONE_LANE = 0.5  # of either: one tenant's flood leaves room for the others


@dataclass(frozen=True, slots=True)
class Waiting:
    """One delivery in the line, and the promise of its answer."""

    delivery: Incoming
    lane: str
    answer: asyncio.Future[tuple[RoutedDelivery, list[Admission]]]

    @property
    def size_bytes(self) -> int:
        """Of its body, as it came."""
        return len(self.delivery.raw_body)


class WaitingLine:
    """First come, first served within a lane; the lanes take turns. A lane is a tenant, as far as the door knows it."""

    def __init__(self, *, most_waiting: int = MOST_WAITING, most_bytes: int = MOST_WAITING_BYTES) -> None:
        self._most_waiting, self._most_bytes = most_waiting, most_bytes
        self._lanes: dict[str, deque[Waiting]] = {}
        self._bytes_of: dict[str, int] = {}
        self._length = self._bytes = 0

    def __len__(self) -> int:
        return self._length

    def has_room_for(self, lane: str, size_bytes: int) -> bool:
        """Whether one more of this lane may wait. A lane alone may fill half; an empty line takes anything."""
        if self._length == 0:
            return True
        if self._length >= self._most_waiting or self._bytes + size_bytes > self._most_bytes:
            return False
        of_lane, bytes_of_lane = len(self._lanes.get(lane, ())), self._bytes_of.get(lane, 0)
        return of_lane < self._most_waiting * MOST_OF_ONE_LANE and bytes_of_lane + size_bytes <= self._most_bytes * MOST_OF_ONE_LANE

    def join(self, waiting: Waiting) -> None:
        """Stand at the end of the lane."""
        self._lanes.setdefault(waiting.lane, deque()).append(waiting)
        self._count(waiting, 1)

    def take(self, *, most_deliveries: int, most_items: int, most_bytes: int) -> list[Waiting]:
        """The next ones for a transaction, one of each lane in turn; at least one, however large it is."""
        taken: list[Waiting] = []
        items = size_bytes = 0
        while self._lanes and len(taken) < most_deliveries:
            lane, waiting = self._next()
            items += waiting.delivery.prepared.items_received
            size_bytes += waiting.size_bytes
            if taken and (items > most_items or size_bytes > most_bytes):
                break
            self._leave(lane)
            taken.append(waiting)
        return taken

    def dissolve(self) -> list[Waiting]:
        """All that wait; nobody does any more."""
        left = [waiting for lane in self._lanes.values() for waiting in lane]
        self._lanes.clear()
        self._bytes_of.clear()
        self._length = self._bytes = 0
        return left

    def _next(self) -> tuple[str, Waiting]:
        lane = next(iter(self._lanes))
        return lane, self._lanes[lane][0]

    def _leave(self, lane: str) -> None:
        """The first of this lane goes, and the lane to the end of the turn."""
        waiting_in_lane = self._lanes.pop(lane)
        self._count(waiting_in_lane.popleft(), -1)
        if waiting_in_lane:
            self._lanes[lane] = waiting_in_lane
        else:
            self._bytes_of.pop(lane, None)

    def _count(self, waiting: Waiting, step: int) -> None:
        size_bytes = waiting.size_bytes * step
        self._length += step
        self._bytes += size_bytes
        self._bytes_of[waiting.lane] = self._bytes_of.get(waiting.lane, 0) + size_bytes
