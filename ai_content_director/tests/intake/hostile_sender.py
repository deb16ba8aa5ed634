"""Somebody who sends whatever comes to mind to the door of one platform, for a few tenants, many at once."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

import httpx
import orjson

from lead_signals.database.addresses import DatabaseAddresses
from tests.deliveries import said_on
from tests.intake.books import assert_books_balance
from tests.intake.open_door import fetch

TAKEN_OR_REFUSED = {200, 400, 413}
OUR_FAULT = ["reader_failed", "classify_crashed", "refused_by_database"]
WORDS_SHOWN_BYTES = 2_000


class HostileSender:
    """Remembers what was answered in a way that content must not be answered."""

    def __init__(self, client: httpx.AsyncClient, platform: str, tenants: Sequence[UUID]) -> None:
        self.client, self.platform, self._tenants = client, platform, tenants
        self.answered: Counter[int] = Counter()
        self.wrong: list[tuple[int, str, bytes]] = []

    async def send(self, raw: bytes) -> httpx.Response:
        """Deliver this; tenants take turns."""
        tenant_id = self._tenants[self.answered.total() % len(self._tenants)]
        answer = await self.client.post(f"/webhooks/{self.platform}", content=raw, headers={"X-Tenant-ID": str(tenant_id)})
        self.answered[answer.status_code] += 1
        if answer.status_code not in TAKEN_OR_REFUSED:
            self.wrong.append((answer.status_code, answer.text[:200], raw[:WORDS_SHOWN_BYTES]))
        return answer

    async def send_all(self, bodies: Iterable[bytes], *, at_once: int = 16) -> list[httpx.Response]:
        """Deliver these, several at a time; the answers in their order."""
        waiting, answers = enumerate(bodies), dict[int, httpx.Response]()

        async def work() -> None:
            for position, raw in waiting:
                answers[position] = await self.send(raw)

        async with asyncio.TaskGroup() as workers:
            for _ in range(at_once):
                workers.create_task(work())
        return [answers[position] for position in range(len(answers))]

    async def leaves_all_well(self, database: DatabaseAddresses) -> None:
        """Nothing was answered wrongly, each delivery taken left one receipt, the books balance, and the door is still open."""
        assert self.wrong == []
        kept = await fetch(
            database.owner, "SELECT tenant_id, count(*) FROM receipts WHERE tenant_id = ANY($1) GROUP BY tenant_id", self._tenants
        )
        assert sum(row["count"] for row in kept) == self.answered[200]
        for row in kept:
            await assert_books_balance(database.owner, row["tenant_id"])
        faults = await fetch(
            database.owner,
            "SELECT reason, item FROM quarantined_items WHERE tenant_id = ANY($1) AND reason = ANY($2)",
            self._tenants,
            OUR_FAULT,
        )
        assert [(row["reason"], row["item"][:WORDS_SHOWN_BYTES]) for row in faults] == []
        afterwards = await self.send(orjson.dumps(said_on(self.platform, "710020003000", uuid4().hex, "Cho tôi báo giá")))
        assert (afterwards.status_code, afterwards.json()["created"]) == (200, 1)
