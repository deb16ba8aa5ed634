"""kill -9 for the worker, again and again at random moments of its deliveries: every urgent lead is told about, under one id.

`--kills N` says how often (`bin/test -k fifty_kills --kills 50` is five minutes); `--kill-seed S` chooses the same moments again.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import POLITE
from tests.door import Door
from tests.faults.kill_shot import KillShot, Moment, kills, takes_a_moment
from tests.invariants import all_finished, assert_kept, assert_whole
from tests.product import Product, product_on
from tests.receiver import Receiver
from tests.receiver_answers import held
from tests.stream_of_comments import StreamOfComments
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(1200)  # as many kills as were asked for

RESCUED_WITHIN_SECONDS = 25.0  # of the kill, with the lease that production has
DEFAULT_LEASE_SECONDS = 20.0
MOST_ARRIVALS_BEFORE_A_KILL = 40

IN_HAND = "SELECT id, lease_token FROM follow_ups WHERE state = 'delivering'"
SESSIONS_OF_WORKERS = """
    SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lead-signals worker' AND datname = current_database()"""


@pytest.fixture
def how_many(pytestconfig: pytest.Config) -> int:
    """Kills in one test."""
    asked: int = pytestconfig.getoption("--kills")
    return asked


@pytest.fixture
def chance(pytestconfig: pytest.Config) -> random.Random:
    """Chooses the moments; others each time, unless told otherwise."""
    told: int | None = pytestconfig.getoption("--kill-seed")
    seed = random.randrange(2**32) if told is None else told
    print(f"to choose these moments again: --kill-seed {seed}")  # noqa: T201 - shown when it fails, or by -s
    return random.Random(seed)


@pytest.fixture
def product(fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path) -> Iterator[Product]:
    """Processes of ours on a database of their own; a follow-up attempt may take 10 s."""
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url, N8N_WEBHOOK_TIMEOUT_SECONDS="10") as product:
        yield product


def test_one_delivery_at_each_kill_is_repeated_at_most_once(
    product: Product, receiver: Receiver, how_many: int, chance: random.Random
) -> None:
    """At each kill one follow-up is owed, so at most one can be sent again: no more repeats than kills."""
    hits: Counter[str] = Counter()
    urgent = [f"c_{number}" for number in range(how_many)]
    with Door((api := product.start_api()).base_url) as door:
        tenant_id, polite_tenant = door.onboard(), door.onboard()
        with StreamOfComments(api.base_url, polite_tenant, senders=1, message=POLITE) as stream:
            worker = product.start_worker()
            for comment_id in urgent:
                moment, shot = chance.choice(list(Moment)), KillShot(worker)
                well = takes_a_moment(chance)
                receiver.script(tenant_id, *([] if moment is Moment.COMMENT_TAKEN else [kills(shot, moment, chance)]), well)
                before = len(receiver.arrivals())
                door.send_well(tenant_id, comment_id)
                if moment is Moment.COMMENT_TAKEN:
                    receiver.closing.wait(chance.uniform(0, 0.05))
                    shot.fire()
                assert shot.fired.wait(30), f"nobody killed the worker when {moment}"
                hits[_fate(product, arrived=len(receiver.arrivals()) > before)] += 1
                worker = product.start_worker()
                wait_until(lambda: all_finished(product.rows), "the next worker has delivered what is owed")
            assert stream.refused == []
    sent, taken = [*urgent, *stream.sent], [*urgent, *stream.acknowledged]
    assert_whole(product.rows, acknowledged=taken, sent=sent)
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=how_many)
    _tell(f"{how_many} kills, one delivery at each: {len(receiver.arrivals()) - how_many} repeated; what they hit: {dict(hits)}")


def test_kills_amid_many_deliveries_repeat_no_more_than_was_in_hand(
    product: Product, receiver: Receiver, how_many: int, chance: random.Random
) -> None:
    """Urgent comments stream in and each successor finds a line to work off; only what a worker had in hand may come twice."""
    in_hand: set[tuple[UUID, int]] = set()  # each claim once: what one victim left is not the next one's too
    with Door((api := product.start_api()).base_url) as door:
        tenant_id = door.onboard()
        with StreamOfComments(api.base_url, tenant_id, senders=2) as stream:
            for _ in range(how_many):
                stream.wait_for_acknowledged(5)
                worker = product.start_worker()
                shot = KillShot(worker)
                well = [takes_a_moment(chance)] * chance.randint(0, MOST_ARRIVALS_BEFORE_A_KILL)
                moment = chance.choice([one for one in Moment if one is not Moment.COMMENT_TAKEN])
                receiver.script(tenant_id, *well, kills(shot, moment, chance), takes_a_moment(chance))
                assert shot.fired.wait(60), f"nobody killed the worker when {moment}"
                in_hand |= _in_hand(product)
            product.start_worker()
            stream.wait_for_acknowledged(5)
        wait_until(lambda: all_finished(product.rows), "the last worker has delivered everything", 120)
    assert stream.refused == []
    assert_whole(product.rows, acknowledged=stream.acknowledged, sent=stream.sent)
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=len(in_hand))
    repeated = len(receiver.arrivals()) - len(stream.acknowledged)
    _tell(f"{how_many} kills amid {len(stream.acknowledged)} deliveries: {repeated} repeated, {len(in_hand)} were in hand")


def test_what_a_killed_worker_held_is_sent_again_within_25_seconds(product: Product, receiver: Receiver) -> None:
    """With the lease of production, while another worker runs: it cannot know of the death before the lease ends."""
    killed = product.start_worker(lease_seconds=DEFAULT_LEASE_SECONDS)
    with Door(product.start_api().base_url) as door:
        tenant_id = door.onboard()
        receiver.script(tenant_id, held(receiver.gate()), takes_a_moment(random.Random(1)))
        door.send_well(tenant_id, "c_1")
        receiver.wait_for(1)
        product.start_worker(lease_seconds=DEFAULT_LEASE_SECONDS)
        killed.kill()
        killed_at = time.monotonic()
        _, again = receiver.wait_for(2, deadline_seconds=RESCUED_WITHIN_SECONDS)
        wait_until(lambda: all_finished(product.rows), "it is settled")
    assert_kept(product.rows, receiver.arrivals(), repeated_at_most=1)
    _tell(f"sent again {again.at - killed_at:.1f} s after the kill, lease {DEFAULT_LEASE_SECONDS:g} s")


def _fate(product: Product, *, arrived: bool) -> str:
    """What the kill hit, seen from the only follow-up that is owed; asked when nothing of the dead worker can commit any more."""
    _wait_for_the_end_of_its_sessions(product)
    if all_finished(product.rows):
        return "settled"
    if arrived:
        return "sent, not settled"
    return "claimed, not sent" if product.rows.of(IN_HAND) else "not claimed"


def _in_hand(product: Product) -> set[tuple[UUID, int]]:
    _wait_for_the_end_of_its_sessions(product)
    return {(row["id"], row["lease_token"]) for row in product.rows.of(IN_HAND)}


def _wait_for_the_end_of_its_sessions(product: Product) -> None:
    wait_until(lambda: product.rows.value(SESSIONS_OF_WORKERS) == 0, "PostgreSQL has noticed the death")


def _tell(line: str) -> None:
    print(line)  # noqa: T201 - the numbers of the run, by -s or -rP
