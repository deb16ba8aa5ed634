"""Follow-ups that one receiver never takes stand among good ones: a good lead waits for seconds, and the bad ones keep their tries."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.followups.follow_up import webhook_id
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.retry_schedule import RETRY_FLOORS
from tests.followups.promised import owe
from tests.followups.stepped_worker import SteppedWorker

BAD, GOOD = 60, 40
A_LEAD_EVERY = timedelta(seconds=9)
TAKEN = Outcome(OutcomeKind.DELIVERED, http_status=200)


class Picky:
    """Takes all but some, which it refuses each time with one status."""

    def __init__(self, status: int) -> None:
        self.refused: set[str] = set()
        self._refusal = Outcome(OutcomeKind.TRY_AGAIN, http_status=status, error_class=f"HTTP{status}")

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        return self._refusal if webhook_id in self.refused else TAKEN


@pytest.mark.parametrize("status", [500, 404])
async def test_behind_sixty_bad_ones_a_good_lead_waits_for_seconds(fresh_database: DatabaseAddresses, status: int) -> None:
    """They came in one burst, those of all tenants at WEBHOOK_URL; good ones go on coming. All moments are of the stepped clock."""
    begins_at = datetime.now(UTC)
    engine = app_engine(fresh_database.app, application_name="bad ones", pool_size=5)
    owner = await asyncpg.connect(dsn=fresh_database.owner)
    try:
        receiver = Picky(status)
        bad, good = await owe(engine, BAD), await owe(engine, GOOD)
        receiver.refused = {webhook_id(follow_up_id) for follow_up_id in bad}
        first_is_known = begins_at - timedelta(seconds=1)
        await put_due(owner, good[:1], [first_is_known])
        await put_due(owner, bad, [begins_at + timedelta(milliseconds=number) for number in range(BAD)])
        await put_due(owner, good[1:], [begins_at + A_LEAD_EVERY * number for number in range(1, GOOD)])

        worker = SteppedWorker(engine, receiver, first_is_known)
        is_over = begins_at + A_LEAD_EVERY * (GOOD + 1)
        assert await worker.work_until(is_over)

        waited = await owner.fetch("SELECT finished_at - due_at AS waited, attempts FROM follow_ups WHERE id = ANY($1)", good)
        assert [row["attempts"] for row in waited if row["waited"] is not None] == [1] * GOOD, "each good one is delivered at its first try"
        in_order = sorted(row["waited"] for row in waited)
        print(f"a good lead waited {in_order[GOOD // 2]} (median), {in_order[-1]} (longest)")  # noqa: T201 - for whoever reads along with -s
        assert in_order[-1] <= timedelta(seconds=30)
        assert in_order[GOOD // 2] <= timedelta(seconds=10)

        told = await owner.fetch("SELECT state, failures FROM follow_ups WHERE id = ANY($1)", bad)
        assert {row["state"] for row in told} <= {"pending", "retrying"}
        assert max(row["failures"] for row in told) <= most_tries_within(is_over - begins_at), "none was hurried through its tries"
    finally:
        await owner.close()
        await engine.dispose()


def most_tries_within(span: timedelta) -> int:
    """With the luckiest draws, by the schedule alone."""
    tries, at = 1, timedelta(0)
    for floor in RETRY_FLOORS:
        at += floor
        tries += at <= span
    return tries


async def put_due(owner: "asyncpg.Connection[asyncpg.Record]", ids: list[UUID], moments: list[datetime]) -> None:
    await owner.executemany("UPDATE follow_ups SET due_at = $2, created_at = $2 WHERE id = $1", list(zip(ids, moments, strict=True)))
