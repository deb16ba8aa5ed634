"""A person at n8n's editor, by the calls that the editor's own pages make: sign up as the owner, write into the list of tasks."""

from typing import Any

import httpx

from tests.with_n8n.n8n_store import N8nStore

OWNER = {"email": "dieu.phoi@xuong-moc.example", "firstName": "Hạ", "lastName": "Lê", "password": "Mot-Mat-Khau-De-Thu-1"}


class N8nEditor:
    """Signed in until the block that made it ends. `store` tells which list is meant."""

    def __init__(self, base_url: str, store: N8nStore) -> None:
        self._http = httpx.Client(base_url=f"{base_url}/rest", timeout=30, trust_env=False)
        self._store = store
        self._said(self._http.post("/owner/setup", json=OWNER))
        self._project_id = self._said(self._http.get("/projects/personal"))["id"]

    def write(self, task_id: int, **columns: object) -> None:
        """Change cells of one task."""
        address = f"/projects/{self._project_id}/data-tables/{self._store.task_list_id()}/rows"
        row = {"type": "and", "filters": [{"columnName": "id", "condition": "eq", "value": task_id}]}
        self._said(self._http.patch(address, json={"filter": row, "data": columns}))

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    @staticmethod
    def _said(answer: httpx.Response) -> Any:
        assert answer.is_success, f"n8n answered {answer.status_code}: {answer.text}"
        return answer.json()["data"]
