"""Looking into n8n's own SQLite beside it: which executions ran and how, and which tasks stand in the list."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

TASK_LIST = "lead_signals_tasks"


class N8nStore:
    """Reads only. `path` is n8n's database.sqlite, while n8n runs or after."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def executions(self, workflow_id: str) -> list[str]:
        """The status of each kept execution of this workflow, oldest first."""
        rows = self._rows('SELECT status FROM execution_entity WHERE "workflowId" = ? ORDER BY id', workflow_id)
        return [row["status"] for row in rows]

    def tasks(self, **matching: str) -> list[dict[str, Any]]:
        """The tasks whose columns hold these values, oldest first; none while there is no list yet."""
        lists = self._rows("SELECT id FROM data_table WHERE name = ?", TASK_LIST)
        if not lists:
            return []
        conditions = " AND ".join([f'"{column}" = ?' for column in matching] or ["true"])
        return self._rows(f'SELECT * FROM "data_table_user_{lists[0]["id"]}" WHERE {conditions} ORDER BY id', *matching.values())

    def task_list_id(self) -> str:
        """The id n8n gave the list."""
        (row,) = self._rows("SELECT id FROM data_table WHERE name = ?", TASK_LIST)
        return str(row["id"])

    def _rows(self, statement: str, *arguments: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, arguments)]
