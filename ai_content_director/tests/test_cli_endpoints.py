"""`lead-signals followups endpoints …`: plain tables, clear sentences, and no secret among the arguments."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from lead_signals.cli_endpoints import endpoints
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.settings import Settings, read_settings
from tests.followups.endpoints.endpoint_house import GIVEN_SECRET, OLDER_KEY, EndpointHouse, environment
from tests.intake.open_door import fetch_now
from tests.product import SERVICE, clean_environment
from tests.receiver import Receiver
from tests.receiver_answers import status

SLACK = "https://hooks.example.com/services/T0BIMAT01/B0BIMAT02/bimatbimat9xYz"


class Operator:
    """Somebody at the server's command line, and what a look into the database shows."""

    def __init__(self, addresses: DatabaseAddresses, receiver: Receiver) -> None:
        self.addresses = addresses
        self.receiver = receiver
        self.tenant = self.onboard("Nội thất Hoa Sen")

    def onboard(self, name: str) -> UUID:
        tenant_id = uuid4()
        fetch_now(self.addresses.owner, "INSERT INTO tenants (id, name, industry) VALUES ($1, $2, '')", tenant_id, name)
        return tenant_id

    def run(self, *arguments: str, stdin: str = "", **changes: str | None) -> Result:
        unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
        told = {**unset, **environment(), "DATABASE_URL": self.addresses.app, **changes}
        with capture_logs():
            return CliRunner(env=told).invoke(endpoints, list(arguments), input=stdin)

    def add(self, *more: str, stdin: str = "", whose: UUID | None = None, name: str = "n8n", **changes: str | None) -> Result:
        where = () if "--address-file" in more else ("--address", self.receiver.url)
        return self.run("add", "--tenant", str(whose or self.tenant), "--name", name, *where, *more, stdin=stdin, **changes)

    def of_tenant(self, command: str, endpoint: object, *more: str, stdin: str = "", **changes: str | None) -> Result:
        return self.run(command, "--tenant", str(self.tenant), str(endpoint), *more, stdin=stdin, **changes)

    async def promise(self, count: int) -> list[UUID]:
        """Owe that many leads to the tenant's endpoints."""
        engine = app_engine(self.addresses.app, application_name="tests", pool_size=1)
        try:
            return await EndpointHouse(engine, self.addresses.owner, read_settings({}), self.tenant, self.receiver).promise(count)
        finally:
            await engine.dispose()

    def only(self) -> Any:
        (row,) = fetch_now(self.addresses.owner, "SELECT * FROM follow_up_endpoints WHERE removed_at IS NULL")
        return row


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def own_database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    return make_database()


@pytest.fixture
def operator(own_database: DatabaseAddresses, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    # What these logs look like is not for this process to decide: other tests log here too.
    monkeypatch.setattr("lead_signals.log_context.configure_logging", lambda _: None)
    yield Operator(own_database, receiver)
    for table in ("follow_up_endpoints", "operator_endpoint_pauses"):
        fetch_now(own_database.owner, f"DELETE FROM {table}")


@pytest.mark.parametrize("command", sorted(endpoints.commands))
def test_every_command_and_option_explains_itself(command: str, operator: Operator) -> None:
    told = operator.run(command, "--help")
    assert told.exit_code == 0
    assert len(told.output.splitlines()[2].strip()) > 15
    for option in endpoints.commands[command].params:
        assert not isinstance(option, click.Option) or option.help, f"{command} {option.name} is not explained"
    assert "--secret " not in told.output, "arguments are seen by everybody on the machine"


def test_from_nothing_to_an_endpoint_and_back(operator: Operator) -> None:
    assert operator.run("list").output == "There is no endpoint. Add one with lead-signals followups endpoints add.\n"
    made = operator.add()
    assert made.exit_code == 0, made.output
    head, line, sentence, secret = made.output.splitlines()
    assert head.split() == ["tenant", "kind", "name", "address", "state", "waiting", "dead", "last", "(UTC)", "endpoint"]
    endpoint = str(operator.only()["id"])
    assert line.split("  ")[0] == "Nội thất Hoa Sen"
    assert line.split()[-5:] == ["on", "0", "0", "never", endpoint]
    assert sentence == "New urgent leads of this tenant are told here. Keep the secret now: it is not shown again."
    assert secret.startswith("Secret: whsec_")
    assert operator.run("list").output.splitlines() == [head, line]
    tried = operator.of_tenant("test", endpoint)
    assert (tried.exit_code, tried.output.startswith("The trial was delivered. HTTP 200, ")) == (0, True)
    rotated = operator.of_tenant("rotate", endpoint, "--keep-old-hours", "2")
    assert rotated.exit_code == 0
    assert rotated.output.startswith("Both secrets sign until ")
    assert rotated.output.splitlines()[1] != secret
    assert operator.of_tenant("pause", endpoint).output.splitlines()[1].split()[-5] == "paused"
    assert operator.of_tenant("resume", endpoint).output.splitlines()[1].split()[-5] == "on"
    gone = operator.of_tenant("remove", endpoint, stdin="y\n")
    assert gone.exit_code == 0
    assert "n8n is removed. Cancelled follow-ups: 0. The tenant has no endpoint now" in gone.output
    assert operator.run("list").output.startswith("There is no endpoint.")


def test_who_does_not_say_yes_removes_nothing(operator: Operator) -> None:
    operator.add()
    assert operator.of_tenant("remove", operator.only()["id"], stdin="n\n").exit_code == 1
    assert operator.of_tenant("remove", operator.only()["id"]).exit_code == 1
    assert operator.of_tenant("remove", operator.only()["id"], "--yes").exit_code == 0


def test_a_slack_address_and_a_secret_come_from_files_alone(operator: Operator, tmp_path: Path) -> None:
    address, secret = tmp_path / "address", tmp_path / "secret"
    address.write_text(f"{SLACK}\n")
    secret.write_text(f"{GIVEN_SECRET}\n")
    refused = operator.run("add", "--tenant", str(operator.tenant), "--kind", "slack", "--name", "kênh", "--address", SLACK)
    assert (refused.exit_code, "--address-file" in refused.output, "bimat" in refused.output) == (2, True, False)
    slack = operator.add("--kind", "slack", "--address-file", str(address), name="kênh bán hàng")
    assert (slack.exit_code, "https://hooks.example.com/…9xYz" in slack.output, "bimat" in slack.output) == (0, True, False)
    given = operator.add("--secret-file", "-", stdin=f"{GIVEN_SECRET}\n")
    assert (given.exit_code, "Secret:" in given.output, GIVEN_SECRET in given.output) == (0, False, False)
    twice = operator.add("--address-file", "-", "--secret-file", "-", stdin="x")
    assert (twice.exit_code, "Only one of address and secret" in twice.output) == (2, True)
    both = operator.run("add", "--tenant", str(operator.tenant), "--name", "x", "--address", "https://a.example.vn/", "--address-file", "-")
    assert (both.exit_code, "Say the address once" in both.output) == (2, True)
    missing = operator.add("--secret-file", str(tmp_path / "nothing"))
    assert (missing.exit_code, "The secret cannot be read from" in missing.output) == (1, True)


def test_webhook_url_is_listed_paused_and_tried(operator: Operator) -> None:
    has_it = {"WEBHOOK_URL": operator.receiver.url}
    assert operator.run("list", **has_it).output.splitlines()[1].split()[:4] == ["-", "webhook", "WEBHOOK_URL", "(operator's)"]
    assert operator.run("pause", "WEBHOOK_URL", **has_it).output.splitlines()[1].split()[-5:] == [
        "paused",
        "0",
        "0",
        "never",
        "WEBHOOK_URL",
    ]
    assert operator.run("test", "WEBHOOK_URL", **has_it).exit_code == 0
    assert operator.run("resume", "WEBHOOK_URL", **has_it).output.splitlines()[1].split()[-5] == "on"
    assert "WEBHOOK_URL is not set" in operator.run("pause", "WEBHOOK_URL").output


def test_what_does_not_work_is_one_sentence_and_exit_status_1(operator: Operator) -> None:
    operator.add()
    endpoint = operator.only()["id"]
    for told, sentence in (
        (operator.add(name="crm", CHANNEL_TOKEN_KEY=None), "openssl rand -base64 32"),
        (operator.add(), "has an endpoint of this name already"),
        (operator.add(whose=uuid4()), "There is no tenant"),
        (operator.run("list", "--tenant", str(uuid4())), "There is no tenant"),
        (operator.add(name="crm", WEBHOOK_ALLOWED_HOSTS=None), "must begin with https://"),
        (operator.add("--secret-file", "-", stdin="hai tu", name="crm"), "secret: expected whsec_"),
        (operator.add("--kind", "email", "--address-file", "-", stdin="a@example.vn", name="thư"), "SMTP_URL and SMTP_FROM"),
        (operator.of_tenant("rotate", uuid4()), "has no endpoint"),
        (operator.of_tenant("rotate", "WEBHOOK_URL"), "This is WEBHOOK_URL, set in the environment"),
        (operator.run("rotate", "WEBHOOK_URL"), "WEBHOOK_SIGNING_SECRET=new,old"),
        (operator.run("remove", "WEBHOOK_URL"), "empty it there and start API and worker again"),
        (operator.run("rotate", str(endpoint)), "say whose endpoint"),
        (operator.run("remove", str(endpoint), "--yes"), "say whose endpoint"),
        (operator.of_tenant("test", endpoint, CHANNEL_TOKEN_KEY=OLDER_KEY), "put the key back that sealed it"),
        (operator.run("pause", str(endpoint)), "say whose endpoint"),
    ):
        assert told.exit_code == 1, told.output
        assert told.output.startswith("Error: ")
        assert sentence in told.output
        assert len(told.output.splitlines()) == 1
    assert (operator.run("pause", "n8n").exit_code, operator.only()["paused_at"]) == (2, None)


def test_a_trial_that_fails_ends_with_1_and_says_what_the_receiver_said(operator: Operator) -> None:
    operator.add()
    operator.receiver.script(str(operator.tenant), status(502, b"trang bao tri\x1b[2J\n"))
    told = operator.of_tenant("test", operator.only()["id"])
    assert told.exit_code == 1
    first, second = told.output.splitlines()
    assert first.startswith("The trial was not delivered (HTTP502); a real follow-up would be tried again. The receiver, or a proxy before")
    assert " HTTP 502, " in first
    assert second.rstrip() == "It said: trang bao tri\N{REPLACEMENT CHARACTER}[2J"


def test_what_waits_how_it_went_and_what_is_the_matter_stands_in_the_list(operator: Operator) -> None:
    operator.add()
    endpoint = operator.only()["id"]
    first, second, third = asyncio.run(operator.promise(3))
    for statement in (
        f"UPDATE follow_ups SET created_at = now() - interval '5 hours' WHERE id = '{first}'",
        f"UPDATE follow_ups SET state = 'delivered', finished_at = '2026-11-23 01:05:00+00' WHERE id = '{second}'",
        f"UPDATE follow_ups SET state = 'dead', failures = 14, finished_at = now() WHERE id = '{third}'",
    ):
        fetch_now(operator.addresses.owner, statement)
    _, line = operator.run("list").output.splitlines()
    assert line.split()[-9:] == ["1", "(oldest", "5", "h)", "1", "delivered", "2026-11-23", "01:05", str(endpoint)]
    tried_at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
    fetch_now(
        operator.addresses.owner,
        "INSERT INTO delivery_attempts (tenant_id, follow_up_id, attempt, started_at, duration_ms, outcome, http_status, error_class)"
        " VALUES ($1, $2, 1, $3, 5, 'give_up', 410, 'HTTP410')",
        operator.tenant,
        third,
        tried_at,
    )
    fetch_now(operator.addresses.owner, "UPDATE follow_up_endpoints SET paused_at = now(), pause_reason = 'gone' WHERE id = $1", endpoint)
    _, line, trouble = operator.run("list").output.splitlines()
    assert line.split()[-9:] == ["1", "(oldest", "5", "h)", "1", "HTTP410", "2026-11-23", "01:30", str(endpoint)]
    assert trouble.startswith("n8n: It answered that it takes nothing any more")


def test_a_hostile_name_moves_no_cursor(operator: Operator) -> None:
    operator.add()
    fetch_now(operator.addresses.owner, "UPDATE follow_up_endpoints SET name = $1", "Hoa\x1b[2J\nSen\u202e")
    told = operator.run("list")
    assert len(told.output.splitlines()) == 2
    assert "\x1b" not in told.output
    assert "\u202e" not in told.output


def test_as_a_process_it_prints_its_table_and_nothing_else(operator: Operator) -> None:
    operator.add()
    told = {**clean_environment(), **environment(), "DATABASE_URL": operator.addresses.app}
    code = "from lead_signals.cli_endpoints import endpoints; endpoints()"
    ended = subprocess.run([sys.executable, "-c", code, "list"], capture_output=True, cwd=SERVICE, env=told, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.splitlines()) == 2
