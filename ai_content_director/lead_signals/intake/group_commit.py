"""Group commit: all deliveries that wait at one moment share one transaction, and each gets its answer after that commit.

A commit waits for the disk, and most of what a transaction costs is paid once however many rows it holds. While one group is written
the next gathers; a lone delivery is written at once. docs/decisions/004-group-commit.md.
"""

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context
from copy import copy
from typing import TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.availability import database_is_away
from lead_signals.database.lock_patience import held_up
from lead_signals.intake.admission import Admission
from lead_signals.intake.admit import Fate, admit_alone, admit_together, refusal_of
from lead_signals.intake.beside_the_loop import beside_the_loop
from lead_signals.intake.find_owners import find_owners
from lead_signals.intake.intake_metrics import GROUP_SIZE, WAITING_DELIVERIES
from lead_signals.intake.judge_by_own_rules import judge_by_own_rules
from lead_signals.intake.route_delivery import Incoming, RoutedDelivery, TenantIdSource, route_delivery
from lead_signals.intake.waiting_line import Waiting, WaitingLine
from lead_signals.leads.promise_follow_ups import FollowUpPolicy
from lead_signals.log_context import get_logger
from lead_signals.request_body import RefusedRequest
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.tenancy.tenant_session import across_tenants_session

log = get_logger(__name__)

HANDS = 2
# One hand writes, and the next group gathers meanwhile: the larger, the less each costs. Only when a group takes much longer than groups
# do, somebody else's lock perhaps, another hand takes who waits.
HELP_AFTER_SECONDS = 0.1
# A transaction costs its dozen round trips whatever it holds: at 32 connections gathering halved what a delivery costs.
GATHER_SECONDS = 0.005
LOAD_LASTS_SECONDS = 0.02
MOST_DELIVERIES = 256
MOST_ITEMS = 1_000
MOST_BYTES = 4 * 1024 * 1024  # of bodies: rendering their rows stops the event loop for 30 ms; 64 MiB were 0.6 s
MOST_SECONDS = 15.0  # for one group, whatever holds it up; the database's own limit is for each statement, and needs its answer
MOST_LANES_REMEMBERED = 10_000
STRANGERS = ""

_Routed: TypeAlias = tuple[Waiting, RoutedDelivery]


class GroupCommit:
    """The only way from the door into the database. One for each process; it works only while somebody waits.

    `packs` says which tenants judge by rules of their own; None = nobody.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        policy: FollowUpPolicy,
        line: WaitingLine | None = None,
        *,
        hands: int = HANDS,
        packs: ActivePacks | None = None,
    ) -> None:
        self._engine, self._policy, self._packs = engine, policy, packs
        self._line = WaitingLine() if line is None else line
        WAITING_DELIVERIES.set_function(lambda: len(self._line))
        self._hands = hands
        self._at_work: dict[asyncio.Task[None], float] = {}  # and the loop's time at which each takes too long for its group
        self._last_group = (1, 0.0)  # its size, and the loop's time at its end
        self._enough = asyncio.Event()  # as many wait as the last group held
        self._lanes: dict[UUID | tuple[str, str], str] = {}

    async def admit(self, delivery: Incoming) -> tuple[RoutedDelivery, list[Admission]]:
        """What became of the delivery, after the commit.

        Raises RefusedRequest (400, 404, 503 when the line is full, somebody holds the tenant's rows or the database refuses), and what
        the driver raises when the database is away; then nothing of it is stored, or nobody can say whether it is: a redelivery finds
        what is there.
        """
        lane = self._lane_of(delivery)
        if not self._line.has_room_for(lane, len(delivery.raw_body)):
            raise RefusedRequest(503, "line_full", "Too many deliveries wait to be written; send this one again later.")
        answer: asyncio.Future[tuple[RoutedDelivery, list[Admission]]] = asyncio.get_running_loop().create_future()
        self._line.join(Waiting(delivery, lane, answer))
        if len(self._line) >= self._last_group[0]:
            self._enough.set()
        now = asyncio.get_running_loop().time()
        if all(late_at <= now for late_at in self._at_work.values()):  # one that is not late comes for us, or calls when it is
            self._call_a_hand()
        return await answer

    def _call_a_hand(self) -> None:
        if len(self._line) == 0 or len(self._at_work) >= self._hands:
            return
        # In a context of its own: it works for everybody, not for the request that happened to call it.
        hand = asyncio.create_task(self._write_until_nobody_waits(), context=Context())
        self._at_work[hand] = math.inf  # the loop itself holds tasks weakly
        hand.add_done_callback(self._leave_nobody_behind)

    async def _write_until_nobody_waits(self) -> None:
        hand = asyncio.current_task()
        assert hand is not None  # noqa: S101 - `_call_a_hand` made it
        try:
            while len(self._line):
                await self._gather()
                group = self._line.take(most_deliveries=MOST_DELIVERIES, most_items=MOST_ITEMS, most_bytes=MOST_BYTES)
                GROUP_SIZE.observe(len(group))
                # For who waits already; who comes later than that calls by themselves.
                help_comes = asyncio.get_running_loop().call_later(HELP_AFTER_SECONDS, self._call_a_hand)
                self._at_work[hand] = help_comes.when()
                try:
                    async with asyncio.timeout(MOST_SECONDS):
                        await self._write_group(group)
                except Exception as error:
                    _refuse_all(group, error)
                finally:
                    help_comes.cancel()
                    self._last_group = (len(group), asyncio.get_running_loop().time())
                    _send_away(group)  # nobody is left, unless this task was cancelled
        finally:
            # In the step that found the line empty: whoever joins next sees a free hand.
            del self._at_work[hand]

    async def _gather(self) -> None:
        """Under load, wait a few milliseconds for as many as the group before held: who was answered together comes again together.

        After a lone delivery, or a pause, nobody waits.
        """
        size, ended_at = self._last_group
        if size == 1 or asyncio.get_running_loop().time() - ended_at > LOAD_LASTS_SECONDS or len(self._line) >= size:
            return
        self._enough.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_SECONDS):
                await self._enough.wait()

    def _leave_nobody_behind(self, hand: asyncio.Task[None]) -> None:
        """A hand that was cancelled, perhaps before it began, leaves a line that nobody would ever serve: the process ends."""
        self._at_work.pop(hand, None)
        if not self._at_work:
            _send_away(self._line.dissolve())

    async def _write_group(self, group: Sequence[Waiting]) -> None:
        try:
            if self._packs is not None:
                await self._packs.loaded()  # before the first group, when the database was away at our start
            told = await admit_together(self._engine, [waiting.delivery for waiting in group], self._policy, self._packs)
        except Exception as error:
            if database_is_away(error) and not held_up(error):
                raise  # away from all of them
            log.warning("group_failed", deliveries=len(group), **refusal_of(error))
            await self._write_apart(group, error)
            return
        for waiting, (delivery, fate) in zip(group, told, strict=True):
            self._answer(waiting, delivery, fate)

    async def _write_apart(self, group: Sequence[Waiting], error: Exception) -> None:
        """Something in this group is poison, or held up by others: nobody's neighbours suffer for it. First each tenant by itself."""
        groups = _by_tenants(await self._route(group))
        if len(groups) > 1:
            for routed in sorted(groups, key=len):  # one tenant's flood lets the others go first
                await self._write_group([waiting for waiting, _ in routed])
            return
        for waiting, delivery in (each for routed in groups for each in routed):
            if held_up(error):
                _refuse(waiting, _told(error))
            else:
                await self._write_alone(waiting, delivery)

    async def _route(self, group: Sequence[Waiting]) -> list[_Routed]:
        """Where each goes; who is refused on the way hears it here."""
        async with across_tenants_session(self._engine) as session:
            owners = await find_owners(session, [waiting.delivery for waiting in group])
        routed: list[_Routed] = []
        for waiting, of_delivery in zip(group, owners, strict=True):
            try:
                routed.append((waiting, await beside_the_loop(waiting.size_bytes, route_delivery, waiting.delivery, of_delivery)))
            except Exception as error:  # refused, or a defect of ours that only this body met
                _refuse(waiting, error)
        return routed

    async def _write_alone(self, waiting: Waiting, delivery: RoutedDelivery) -> None:
        try:
            judged = await judge_by_own_rules(delivery, self._packs)
            self._answer(waiting, delivery, await admit_alone(self._engine, judged, self._policy))
        except Exception as error:
            if database_is_away(error) and not held_up(error):
                raise
            _refuse(waiting, _told(error))

    def _answer(self, waiting: Waiting, delivery: RoutedDelivery | None, fate: Fate) -> None:
        if delivery is None or isinstance(fate, RefusedRequest):
            _refuse(waiting, fate if isinstance(fate, RefusedRequest) else RuntimeError("a delivery without a way and without a refusal"))
            return
        self._remember(delivery)
        if not waiting.answer.done():  # who asked may have gone
            waiting.answer.set_result((delivery, fate))

    def _lane_of(self, delivery: Incoming) -> str:
        """That of its tenant, once something was written for it. All others share one: who invents tenants gets no more turns by it."""
        if delivery.named is not None:
            return self._lanes.get(delivery.named[0], STRANGERS)
        known = (self._lanes.get((delivery.platform, channel)) for channel in delivery.channels)
        return next((lane for lane in known if lane is not None), STRANGERS)

    def _remember(self, delivery: RoutedDelivery) -> None:
        """For fairness alone: the next delivery of this tenant stands in its lane. Forgetting is harmless."""
        if len(self._lanes) > MOST_LANES_REMEMBERED:
            self._lanes.clear()
        for part in delivery.parts:
            self._lanes[part.tenant_id] = lane = str(part.tenant_id)
            if part.tenant_id_source is TenantIdSource.CHANNEL:
                self._lanes |= {(delivery.platform, channel): lane for channel in part.prepared.channels if channel is not None}


def _by_tenants(routed: Sequence[_Routed]) -> list[list[_Routed]]:
    """The same, apart by the tenants they are for."""
    groups: dict[tuple[UUID, ...], list[_Routed]] = {}
    for waiting, delivery in routed:
        groups.setdefault(tuple(sorted(part.tenant_id for part in delivery.parts)), []).append((waiting, delivery))
    return list(groups.values())


def _told(error: Exception) -> Exception:
    """Waiting in vain for a lock is no outage: the database answers, and everybody else's deliveries are written."""
    if not held_up(error):
        return error
    return RefusedRequest(503, "held_up", "Somebody holds this tenant's rows in the database; send this delivery again in a moment.")


def _refuse_all(group: Sequence[Waiting], error: Exception) -> None:
    """Each hears it by an exception of its own: one that many raise would gather the tracebacks of them all."""
    for waiting in group:
        try:
            own = copy(error)
        except Exception:  # not every class can be copied; the cause tells the rest
            own = RuntimeError(f"the group of this delivery failed: {type(error).__name__}")
        own.__cause__ = error
        _refuse(waiting, own)


def _send_away(left: Sequence[Waiting]) -> None:
    for waiting in left:
        _refuse(waiting, RefusedRequest(503, "ending", "This process is ending; send this delivery again."))


def _refuse(waiting: Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
