"""Turns: how many follow-ups of an endpoint may be claimed, and which of those in hand may be sent now.

An endpoint that takes many at once is claimed ahead for: as many again wait behind its gate, so that no call waits for a claim. When the
gate shuts before their turn, or the worker is told to stop, they are given back.
"""

import asyncio
from collections import Counter, deque
from typing import Final
from uuid import UUID

from lead_signals.followups.delivering.endpoint_gates import EndpointGates
from lead_signals.followups.outcome import Outcome

AHEAD_FROM_WINDOW: Final = 8  # below it the endpoint is not proven, and what waits would only go back


class Turns:
    """The gates of one worker with those who wait before them. `freed` is set when there may be reason to claim."""

    def __init__(self, gates: EndpointGates) -> None:
        self.freed = asyncio.Event()
        self._gates = gates
        self._sending: Counter[UUID] = Counter()
        self._waiting: dict[UUID, deque[asyncio.Future[bool]]] = {}
        self._stopped = asyncio.Event()

    def claimable(self, endpoint_id: UUID, *, only_portions: bool = False) -> int:
        """How many more of it may be claimed. `only_portions`: 0 until it is worth a transaction while others are being sent."""
        if self._stopped.is_set():
            return 0
        room, sending = self._gates.room(endpoint_id), self._sending[endpoint_id]
        window = room + sending
        ahead = window if window >= AHEAD_FROM_WINDOW else 0
        more = max(0, room + ahead - len(self._waiting.get(endpoint_id, ())))
        worth_it = more * 2 >= window if ahead else more * 4 >= window
        return more if worth_it or not only_portions else 0

    async def begin(self, endpoint_id: UUID) -> bool:
        """Wait for a turn, in the order of asking. True: send now, and tell `end`.

        False: nothing was begun, for the gate has shut or we were told to stop.
        """
        if self._stopped.is_set():
            return False
        if endpoint_id not in self._waiting and self._gates.room(endpoint_id) > 0:
            self._go(endpoint_id)
            return True
        if not self._sending[endpoint_id]:
            return False
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(endpoint_id, deque()).append(turn)
        try:
            may_go = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.end(endpoint_id, None)
            raise
        if may_go and self._stopped.is_set():  # its turn came at the same moment as the end
            self.end(endpoint_id, None)
            return False
        return may_go

    def end(self, endpoint_id: UUID, outcome: Outcome | None) -> bool:
        """What began has ended so; None: nothing was sent after all. True when what waits for its next try there is to be hurried."""
        is_back = self._gates.end(endpoint_id, outcome)
        self._sending[endpoint_id] -= 1
        waiting = self._waiting.get(endpoint_id, deque())
        while waiting and not self._stopped.is_set() and self._gates.room(endpoint_id) > 0:
            turn = waiting.popleft()
            if not turn.done():
                self._go(endpoint_id)
                turn.set_result(True)
        if not self._sending[endpoint_id]:
            del self._sending[endpoint_id]
            while waiting:
                turn = waiting.popleft()
                if not turn.done():
                    turn.set_result(False)
        if not waiting:
            self._waiting.pop(endpoint_id, None)
        self.freed.set()
        return is_back

    def stop(self) -> None:
        """Nothing begins any more: who waits for a turn hears at once that it comes no more. What is being sent ends as it ends."""
        self._stopped.set()
        for waiting in self._waiting.values():
            for turn in waiting:
                if not turn.done():
                    turn.set_result(False)
        self._waiting.clear()

    def _go(self, endpoint_id: UUID) -> None:
        self._gates.begin(endpoint_id)
        self._sending[endpoint_id] += 1
