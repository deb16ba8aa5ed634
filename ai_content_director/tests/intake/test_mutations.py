"""Thousands of mutated payloads through the door of every platform: no 5xx, nothing lost, nothing counted twice.

`--mutations N` says how many (`bin/test -k mutation --mutations 100000` is a few minutes); `--mutation-seed S` makes the same again.
"""

from random import randrange
from uuid import UUID

import pytest

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import ONBOARDING
from tests.intake.captured_logs import captured_logs
from tests.intake.hostile_sender import HostileSender
from tests.intake.mutations import mutated_deliveries
from tests.intake.open_door import fetch, open_door
from tests.signatures import PLATFORMS

IN_ONE_TEST = 2_000  # each well below the time a test may take, so that any number can be asked for
TENANTS = 3
MANY = 500


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Spread what was asked for over the platforms, in parts."""
    if {"platform", "part", "count"} <= set(metafunc.fixturenames):
        asked = metafunc.config.getoption("--mutations")
        of_each = [asked // len(PLATFORMS) + (position < asked % len(PLATFORMS)) for position in range(len(PLATFORMS))]
        parts = [
            (platform, begins // IN_ONE_TEST, min(IN_ONE_TEST, number - begins))
            for platform, number in zip(PLATFORMS, of_each, strict=True)
            for begins in range(0, number, IN_ONE_TEST)
        ]
        metafunc.parametrize(("platform", "part", "count"), parts, ids=[f"{platform}-{part}" for platform, part, _ in parts])


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Another one each time, unless told otherwise."""
    told: int | None = pytestconfig.getoption("--mutation-seed")
    return randrange(2**32) if told is None else told


async def test_mutations_are_taken_set_apart_or_refused(
    platform: str, part: int, count: int, seed: int, database: DatabaseAddresses
) -> None:
    print(f"to make these again: --mutation-seed {seed}")  # noqa: T201 - shown when it fails, or by -s
    sent: list[int] = []  # mutations in each delivery
    with captured_logs("WARNING") as logs:
        async with open_door(database.app, WEBHOOK_URL="https://n8n.example/webhook") as client:
            tenants = [UUID((await client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"]) for _ in range(TENANTS)]
            sender = HostileSender(client, platform, tenants)
            deliveries = mutated_deliveries(platform, count, f"{seed} {platform} {part}")
            await sender.send_all(sent.append(one.mutations) or one.body for one in deliveries)  # type: ignore[func-returns-value]
            await sender.leaves_all_well(database)
    assert {line["event"] for line in logs.lines} <= {"delivery_refused"}, "something stumbled, and was mended on the way"
    assert sum(sent) == count
    fates = await fetch(
        database.owner,
        "SELECT sum(items_created) AS created, sum(items_updated) AS updated, sum(items_duplicate) AS duplicate,"
        " sum(items_ignored) AS ignored, sum(items_quarantined) AS quarantined FROM receipts WHERE tenant_id = ANY($1)",
        tenants,
    )
    print(f"{count} mutations in {len(sent)} deliveries, answered {dict(sender.answered)}; items {dict(fates[0])}")  # noqa: T201
    if count >= MANY:  # or they would have met no more than the first refusal
        assert min(sender.answered[200], sender.answered[400], *(fates[0][fate] for fate in ("created", "ignored", "quarantined"))) > 0
