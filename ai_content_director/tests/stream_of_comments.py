"""A stream of comments from many senders at once, with a ledger of what each was answered: the witness for "acknowledged means kept"."""

import itertools
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

from tests.deliveries import URGENT, comment
from tests.waiting import wait_until

PAUSE_SECONDS = 0.02


class StreamOfComments:
    """Sends fresh comments of one tenant from `senders` threads for as long as the block runs.

    `sent` is everything, `acknowledged` what was answered 200, `refused` what was answered anything else. Of the rest nobody knows
    whether it was taken.
    """

    def __init__(self, base_url: str, tenant_id: str, *, senders: int, name: str = "stream", message: str = URGENT) -> None:
        self.sent: list[str] = []
        self.acknowledged: list[str] = []
        self.refused: list[tuple[str, httpx.Response]] = []
        self._cut_off: list[str] = []
        self._base_url = base_url
        self._tenant_id = tenant_id
        self._name = name
        self._message = message
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send_on, daemon=True) for _ in range(senders)]

    def statuses(self) -> Counter[int]:
        """How often each refusing status was answered."""
        return Counter(answer.status_code for _, answer in list(self.refused))

    def cut_off(self) -> list[str]:
        """Comments whose connection broke while they were under way."""
        return list(self._cut_off)

    def wait_for_acknowledged(self, more: int) -> None:
        """Until that many more comments were answered 200."""
        goal = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= goal, f"{more} more comments are acknowledged", 60)

    def wait_for_refused(self, more: int) -> None:
        """Until that many more comments were refused."""
        goal = len(self.refused) + more
        wait_until(lambda: len(self.refused) >= goal, f"{more} more comments are refused", 60)

    def _send_on(self) -> None:
        client = httpx.Client(base_url=self._base_url, timeout=30, trust_env=False, headers={"X-Tenant-ID": self._tenant_id})
        with client:
            while not self._stop.is_set():
                self._send_one(client)
                self._stop.wait(PAUSE_SECONDS)

    def _send_one(self, client: httpx.Client) -> None:
        with self._lock:
            comment_id = f"{self._name}_{next(self._numbers)}"
            self.sent.append(comment_id)  # noted before it is sent
        try:
            answer = client.post("/webhooks/facebook", json=comment(comment_id, self._message))
        except httpx.ConnectError:
            return
        except httpx.HTTPError:
            self._cut_off.append(comment_id)
            return
        if answer.status_code == 200:
            self.acknowledged.append(comment_id)
        else:
            self.refused.append((comment_id, answer))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
