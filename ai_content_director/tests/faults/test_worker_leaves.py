"""A worker is asked to leave on a full day, twice as much in hand as its receiver takes at once: nothing begins, nothing is repeated."""

import asyncio
import signal
from pathlib import Path

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from tests.followups.promised import owe
from tests.invariants import all_finished, assert_kept
from tests.product import Product, product_on
from tests.receiver import Receiver, ok
from tests.receiver_answers import held
from tests.waiting import wait_until

PROMISED, TAKEN_AT_ONCE, HELD = 160, 60, 20


def test_sigterm_gives_back_what_waits_for_its_turn_and_finishes_what_is_being_sent(
    fresh_database: DatabaseAddresses, receiver: Receiver, tmp_path: Path
) -> None:
    with product_on(fresh_database, tmp_path, WEBHOOK_URL=receiver.url, N8N_WEBHOOK_TIMEOUT_SECONDS="10") as product:
        asyncio.run(promise(fresh_database))
        gate = receiver.gate()
        tenant_id = str(product.rows.value("SELECT DISTINCT tenant_id FROM follow_ups"))
        receiver.script(tenant_id, *[ok] * TAKEN_AT_ONCE, held(gate))
        leaving = product.start_worker(lease_seconds=20)
        in_full_swing = {"delivered": TAKEN_AT_ONCE, "delivering": 2 * HELD, "pending": PROMISED - TAKEN_AT_ONCE - 2 * HELD}
        wait_until(lambda: states(product) == in_full_swing, "twenty are held by the receiver, and as many claimed ahead")
        receiver.wait_for(TAKEN_AT_ONCE + HELD)

        leaving.send(signal.SIGTERM)
        given_back = in_full_swing | {"delivering": HELD, "pending": PROMISED - TAKEN_AT_ONCE - HELD}
        wait_until(
            lambda: states(product) == given_back, "who waited for a turn is given back while the receiver still holds the others", 5
        )
        gate.set()
        assert leaving.wait() == 0
        assert states(product) == {"delivered": TAKEN_AT_ONCE + HELD, "pending": PROMISED - TAKEN_AT_ONCE - HELD}
        assert len(receiver.arrivals()) == TAKEN_AT_ONCE + HELD, "nothing arrived after the end was asked for"
        assert product.rows.value("SELECT max(attempts) FROM follow_ups WHERE state = 'pending'") == 0, "no try was used up"

        receiver.script(tenant_id, ok)
        product.start_worker()
        wait_until(lambda: all_finished(product.rows), "the next worker has delivered the rest")
        assert_kept(product.rows, receiver.arrivals(), repeated_at_most=0)


async def promise(addresses: DatabaseAddresses) -> None:
    engine = app_engine(addresses.app, application_name="tests", pool_size=1)
    try:
        await owe(engine, PROMISED)
    finally:
        await engine.dispose()


def states(product: Product) -> dict[str, int]:
    return {row["state"]: row["count"] for row in product.rows.of("SELECT state, count(*) AS count FROM follow_ups GROUP BY state")}
