"""A receiver is away for 24 hours: afterwards every follow-up arrives, none has died, and it is not overrun.

First in memory, thousands of leads over the real gates and the real schedule; then hundreds over PostgreSQL, HTTP and a stepped clock.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.followups.delivering.endpoint_gates import FIRST_PAUSE_SECONDS, JITTER_SHARE, LONGEST_PAUSE_SECONDS
from lead_signals.followups.destinations.outbound import open_outbound
from lead_signals.followups.follow_up import webhook_id
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import MOST_ATTEMPTS
from lead_signals.settings import read_settings
from tests.followups.promised import owe
from tests.followups.simulated_days import Away, SimulatedDays, SimulatedReceiver, most_in_a_second
from tests.followups.stepped_worker import SteppedWorker
from tests.receiver import Answer, Exchange, Receiver, ok
from tests.receiver_answers import resets, status

HOUR = 3600.0
WELL_BEFORE = 2 * HOUR
BACK_AT = WELL_BEFORE + 24 * HOUR
NEVER = float("inf")
HANDS = 8
SEED = 20261123
A_PROBE_A_MINUTE = 24 * 60 + 60  # and some more while it goes from five seconds to a minute
A_PROBE_IN_FIVE_SECONDS = 24 * HOUR / FIRST_PAUSE_SECONDS + 60  # of whom it hears that it is there
LONGEST_SHUT_SECONDS = (1 + JITTER_SHARE) * LONGEST_PAUSE_SECONDS + 5.0  # and the probe that hangs at the end of it

REFUSES = Away(Outcome(OutcomeKind.TRY_AGAIN, error_class="ConnectionRefused"), after_seconds=0.001)
SAYS_NOTHING = Away(Outcome(OutcomeKind.TRY_AGAIN, error_class="Timeout"), after_seconds=5.0)
UNAVAILABLE = Away(
    Outcome(OutcomeKind.TRY_AGAIN, http_status=503, error_class="HTTP503", retry_after=timedelta(minutes=2)), after_seconds=0.01
)
NOT_REGISTERED = Away(Outcome(OutcomeKind.TRY_AGAIN, http_status=404, error_class="HTTP404"), after_seconds=0.01)


def steady_rate(workers: int) -> float:
    """Calls a second that the same workers make of the same receiver when it is well and there is always something due.

    The mean over the middle of a backlog of 4,000, without its slow beginning and its end: what the receiver is used to on a full day.
    """
    draws = random.Random(SEED)
    days = SimulatedDays([0.0] * 4000, SimulatedReceiver(HANDS, NEVER, NEVER, REFUSES, draws), workers=workers, random=draws)
    days.run()
    in_order = sorted(days.called_at)
    middle = in_order[1000:3000]
    return len(middle) / (middle[-1] - middle[0])


@pytest.mark.parametrize("away", [REFUSES, SAYS_NOTHING, UNAVAILABLE, NOT_REGISTERED], ids=["refuses", "silent", "503", "404"])
@pytest.mark.parametrize(("seconds_between", "workers"), [(10, 1), (10, 3), (1200, 1)], ids=["busy", "busy, three workers", "quiet"])
def test_after_a_day_away_everything_arrives_and_nobody_is_overrun(away: Away, seconds_between: float, workers: int) -> None:
    draws = random.Random(SEED)
    receiver = SimulatedReceiver(HANDS, WELL_BEFORE, BACK_AT, away, draws)
    promised, moment = [], 0.0
    while moment < BACK_AT + HOUR:
        promised.append(moment)
        moment += draws.expovariate(1 / seconds_between)
    days = SimulatedDays(promised, receiver, workers=workers, random=draws)
    days.run()

    assert len(days.owed) == len(promised)
    assert [one for one in days.owed if one.dead or one.delivered_at is None] == []
    assert max(one.attempts for one in days.owed) <= MOST_ATTEMPTS
    assert all(len(one.keys) == 1 for one in days.owed)
    assert sorted(key for _, key in receiver.took) == sorted(key for one in days.owed for key in one.keys), "each arrived, and arrived once"

    steady = steady_rate(workers)
    backlog = [one for one in days.owed if one.promised_at < BACK_AT and (one.delivered_at or 0) >= BACK_AT]
    peak = most_in_a_second([called for called in days.called_at if called >= BACK_AT])
    probes = sum(1 for called in days.called_at if WELL_BEFORE <= called < BACK_AT)
    gone_after = sorted((one.delivered_at or 0) - BACK_AT for one in backlog)
    never_tried_before = [(one.delivered_at or 0) - BACK_AT for one in backlog if one.attempts == 1]
    print(  # noqa: T201 - what the replay measured, for whoever reads along with -s
        f"{len(promised):,} leads, {len(backlog):,} waited; {probes:,} calls in 24 h of outage; steady {steady:.0f}/s, peak {peak}/s"
        f" = {peak / steady:.2f} x steady = {peak * seconds_between:.0f} x the arrival of leads; half of the backlog gone after"
        f" {gone_after[len(gone_after) // 2]:.0f} s, 99 % after {gone_after[len(gone_after) * 99 // 100]:.0f} s, all after"
        f" {gone_after[-1] / HOUR:.1f} h; never tried before: all after {max(never_tried_before, default=0):.0f} s;"
        f" most attempts of one: {max(one.attempts for one in days.owed)}"
    )
    assert peak <= 2 * steady
    assert probes <= workers * (A_PROBE_IN_FIVE_SECONDS if away is NOT_REGISTERED else A_PROBE_A_MINUTE), "an outage uses up no tries"
    assert max(never_tried_before, default=0) <= LONGEST_SHUT_SECONDS + 2 * len(backlog) / steady, "the slow beginning is soon over"


LEADS = 300


async def test_after_a_day_away_everything_arrives_over_http_from_postgresql(fresh_database: DatabaseAddresses) -> None:
    """The same with the worker's own statements and a real receiver, which resets connections or answers 503 for a day."""
    begins_at = datetime.now(UTC)
    back_at = begins_at + timedelta(hours=24)
    engine = app_engine(fresh_database.app, application_name="a day away", pool_size=5)
    owner = await asyncpg.connect(dsn=fresh_database.owner)
    try:
        with Receiver() as receiver:
            async with open_outbound(read_settings({}), timeout_seconds=10) as outbound:
                ids = await owe(engine, LEADS)
                await _promised_over_the_day(owner, ids, begins_at)
                tenant_id = str(await owner.fetchval("SELECT tenant_id FROM follow_ups LIMIT 1"))
                worker = SteppedWorker(engine, outbound.webhook(receiver.url, [], trusted=True), begins_at)

                receiver.script(tenant_id, by_turns(resets, status(503)))
                assert await worker.work_until(back_at), "nothing can be done while it is away"
                away = receiver.arrivals(tenant_id)
                assert await owner.fetchval("SELECT count(*) FROM follow_ups WHERE finished_at IS NOT NULL") == 0

                receiver.script(tenant_id, ok)
                still_owed = await worker.work_until(back_at + timedelta(days=7))
                arrivals = receiver.arrivals(tenant_id)

        assert not still_owed
        states = await owner.fetch("SELECT state, count(*) AS count FROM follow_ups GROUP BY state")
        assert [(row["state"], row["count"]) for row in states] == [("delivered", LEADS)]
        attempts = await owner.fetch("SELECT follow_up_id, count(*) AS count, max(attempt) AS last FROM delivery_attempts GROUP BY 1")
        calls = Counter(arrival.webhook_id for arrival in arrivals)
        assert calls == {webhook_id(row["follow_up_id"]): row["count"] for row in attempts}, "one call, one attempt on record, one key"
        assert calls.keys() == {webhook_id(follow_up_id) for follow_up_id in ids}
        assert all(row["count"] == row["last"] <= MOST_ATTEMPTS for row in attempts)
        bodies = {(arrival.webhook_id, arrival.body) for arrival in arrivals}
        assert len(bodies) == LEADS, "every attempt of one carried the same bytes"
        assert sorted(arrival.webhook_id for arrival in arrivals[len(away) :]) == sorted(calls), "afterwards each was told once"
        assert LEADS < len(away) <= A_PROBE_A_MINUTE, "a probe a minute, not a storm"
        afterwards = [count for at, count in worker.rounds if at >= back_at]
        assert afterwards[:2] == [1, 2], "one probe, and then slowly"
        assert max(afterwards[:4]) <= 8
        assert worker.endpoint.most_at_once == 20
    finally:
        await owner.close()
        await engine.dispose()


async def _promised_over_the_day(owner: asyncpg.Connection, ids: list[UUID], begins_at: datetime) -> None:
    moments = [begins_at + timedelta(hours=24) * number / len(ids) for number in range(len(ids))]
    await owner.executemany("UPDATE follow_ups SET due_at = $2, created_at = $2 WHERE id = $1", list(zip(ids, moments, strict=True)))


def by_turns(*answers: Answer) -> Answer:
    turns: Counter[str] = Counter()

    def answer(exchange: Exchange) -> None:
        turns["taken"] += 1
        answers[turns["taken"] % len(answers)](exchange)

    return answer
