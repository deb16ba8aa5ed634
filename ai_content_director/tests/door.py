"""The product's door as a sender and an integrator use it: real HTTP, one connection kept."""

from types import TracebackType
from typing import Any, Self, cast

import httpx

from tests.deliveries import ONBOARDING, URGENT, comment


class Door:
    """A client of one API process."""

    def __init__(self, base_url: str) -> None:
        self.http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def onboard(self) -> str:
        """A fresh tenant's id."""
        answer = self.http.post("/onboarding", json=ONBOARDING)
        assert answer.status_code == 201, answer.text
        return cast("str", answer.json()["tenant"]["id"])

    def send(self, tenant_id: str, comment_id: str, message: str = URGENT) -> httpx.Response:
        """Deliver one comment; the answer as it came."""
        return self.http.post("/webhooks/facebook", json=comment(comment_id, message), headers={"X-Tenant-ID": tenant_id})

    def send_well(self, tenant_id: str, comment_id: str, message: str = URGENT) -> list[str]:
        """Deliver one comment that must be taken; the ids of the leads it created."""
        answer = self.send(tenant_id, comment_id, message)
        assert answer.status_code == 200, answer.text
        return cast("list[str]", answer.json()["lead_ids"])

    def leads(self, tenant_id: str, **query: str | int) -> list[dict[str, Any]]:
        """The tenant's leads, newest first."""
        answer = self.http.get("/api/leads", params={"tenant_id": tenant_id, "limit": 200, **query})
        assert answer.status_code == 200, answer.text
        return cast("list[dict[str, Any]]", answer.json()["leads"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.close()
