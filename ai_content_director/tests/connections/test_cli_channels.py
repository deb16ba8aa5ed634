"""`lead-signals channels …`: plain tables, clear sentences, and a token that never stands among the arguments."""

import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import click
import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from lead_signals.cli import cli
from lead_signals.cli_channels import channels
from lead_signals.connections.watched_fields import WITHOUT_A_TOKEN
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.settings import Settings
from tests.connections.connected_pages import OLDER_KEY, environment
from tests.graph_api.graph_answers import dead_token, ill
from tests.graph_api.graph_stand_in import APP_ID, PAGE_ID, PAGE_NAME, PAGE_TOKEN, GraphStandIn
from tests.intake.open_door import fetch_now
from tests.product import SERVICE, clean_environment


class Operator:
    """Somebody at the server's command line, and what a look into the database shows."""

    def __init__(self, addresses: DatabaseAddresses, stand_in: GraphStandIn) -> None:
        self.addresses = addresses
        self.stand_in = stand_in
        self.tenant = uuid4()
        self.onboard(self.tenant, "Nội thất Hoa Sen")

    def onboard(self, tenant_id: UUID, name: str) -> None:
        fetch_now(self.addresses.owner, "INSERT INTO tenants (id, name, industry) VALUES ($1, $2, '')", tenant_id, name)

    def run(self, *arguments: str, stdin: str = "", **changes: str | None) -> Result:
        unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
        told = {**unset, **environment(self.stand_in), "DATABASE_URL": self.addresses.app, **changes}
        with capture_logs():
            return CliRunner(env=told).invoke(cli, ["channels", *arguments], input=stdin)

    def connect(self, *more: str, stdin: str = "", whose: UUID | None = None, **changes: str | None) -> Result:
        return self.run("connect", "--tenant", str(whose or self.tenant), "--id", PAGE_ID, *more, stdin=stdin, **changes)

    def rows(self) -> list[Any]:
        return fetch_now(self.addresses.owner, "SELECT * FROM channels ORDER BY created_at")


@pytest.fixture
def operator(no_channels: DatabaseAddresses, stand_in: GraphStandIn, monkeypatch: pytest.MonkeyPatch) -> Operator:
    # What these logs look like is not for this process to decide: other tests log here too.
    monkeypatch.setattr("lead_signals.log_context.configure_logging", lambda _: None)
    return Operator(no_channels, stand_in)


@pytest.mark.parametrize("command", sorted(channels.commands))
def test_every_command_and_option_explains_itself(command: str, operator: Operator) -> None:
    told = operator.run(command, "--help")
    assert told.exit_code == 0
    assert len(told.output.splitlines()[2].strip()) > 15
    for option in channels.commands[command].params:
        assert not isinstance(option, click.Option) or option.help, f"{command} {option.name} is not explained"
    assert "--token " not in told.output, "arguments are seen by everybody on the machine"


def test_from_nothing_to_connected_and_back(operator: Operator) -> None:
    assert operator.run("list").output == "No channel is connected. Connect one with lead-signals channels connect.\n"
    made = operator.connect("--token-file", "-", stdin=PAGE_TOKEN + "\n")
    assert made.exit_code == 0, made.output
    head, line = made.output.splitlines()
    assert head.split() == ["tenant", "platform", "id", "name", "token", "heard", "(UTC)", "channel"]
    channel = line.split()[-1]
    assert line.index("facebook") == head.index("platform")
    assert f"Nội thất Hoa Sen  facebook  {PAGE_ID}  {PAGE_NAME}  ok     not yet tallied  {channel}" == line
    assert operator.run("list").output == made.output
    operator.stand_in.subscriptions[PAGE_ID] = {}
    checked = operator.run("check", "--tenant", str(operator.tenant), channel)
    assert (checked.exit_code, checked.output.splitlines()[-1]) == (0, "All is well.")
    assert APP_ID in operator.stand_in.subscriptions[PAGE_ID]
    gone = operator.run("disconnect", "--tenant", str(operator.tenant), channel)
    assert gone.output == f"facebook {PAGE_ID} is disconnected. The platform sends nothing more of this channel.\n"
    assert operator.run("list").output.startswith("No channel")
    assert PAGE_TOKEN not in made.output + checked.output + gone.output


def test_as_a_process_it_prints_its_table_and_nothing_else(operator: Operator) -> None:
    told = {**clean_environment(), **environment(operator.stand_in), "DATABASE_URL": operator.addresses.app}
    command = [sys.executable, "-m", "lead_signals", "channels", "connect", "--tenant", str(operator.tenant), "--id", PAGE_ID]
    ended = subprocess.run(
        [*command, "--token-file", "-"], input=PAGE_TOKEN.encode(), capture_output=True, cwd=SERVICE, env=told, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.splitlines()) == 2


def test_a_token_may_come_from_a_file(operator: Operator, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{PAGE_TOKEN}\n")
    assert operator.connect("--token-file", str(token)).exit_code == 0
    assert operator.rows()[0]["token_state"] == "ok"
    missing = operator.connect("--token-file", str(tmp_path / "nothing"))
    assert (missing.exit_code, "cannot be read" in missing.output) == (1, True)


def test_without_a_token_a_page_is_routed_all_the_same(operator: Operator) -> None:
    made = operator.connect("--name", "Hoa Sen", CHANNEL_TOKEN_KEY=None)
    assert (made.exit_code, "none" in made.output) == (0, True)
    assert made.output.splitlines()[-1] == WITHOUT_A_TOKEN["facebook"]
    assert operator.stand_in.requests == ()


def test_what_does_not_work_is_one_sentence_and_exit_status_1(operator: Operator) -> None:
    neighbour = uuid4()
    operator.onboard(neighbour, "Thép Bắc Hà")
    operator.connect()
    without_key = operator.connect("--token-file", "-", stdin=PAGE_TOKEN, CHANNEL_TOKEN_KEY=None)
    for told, sentence in (
        (without_key, "openssl rand -base64 32"),
        (operator.connect(whose=neighbour), "is connected to another tenant"),
        (operator.connect(whose=uuid4()), "There is no tenant"),
        (operator.run("list", "--tenant", str(uuid4())), "There is no tenant"),
        (operator.connect("--platform", "myspace"), "there is no such platform"),
        (operator.connect("--token-file", "-", stdin="hai tu"), "this is no access token"),
        (operator.connect("--token-file", "-", stdin=""), "this is no access token"),
        (operator.run("check", "--tenant", str(operator.tenant), str(operator.rows()[0]["id"])), "without a token"),
        (operator.run("check", "--tenant", str(operator.tenant), str(uuid4())), "no connected channel"),
        (operator.run("disconnect", "--tenant", str(neighbour), str(operator.rows()[0]["id"])), "no connected channel"),
    ):
        assert told.exit_code == 1, told.output
        assert told.output.startswith("Error: ")
        assert sentence in told.output
        assert len(told.output.splitlines()) == 1
    assert len(operator.rows()) == 1


@pytest.mark.parametrize("key", [OLDER_KEY, None])
def test_a_check_without_the_key_is_one_sentence_and_the_channel_stays_as_it_is(key: str | None, operator: Operator) -> None:
    operator.connect("--token-file", "-", stdin=PAGE_TOKEN)
    before = operator.rows()
    told = operator.run("check", "--tenant", str(operator.tenant), str(before[0]["id"]), CHANNEL_TOKEN_KEY=key)
    assert (told.exit_code, len(told.output.splitlines())) == (1, 1)
    assert told.output.startswith("Error: ")
    assert "CHANNEL_TOKEN_KEY" in told.output
    assert operator.rows() == before


@pytest.mark.parametrize(
    ("age", "heard", "quiet", "told"),
    [
        ("9 minutes", None, False, "not yet tallied"),
        ("11 minutes", None, False, "never"),
        ("9 minutes", "2026-11-22 19:31:00+07", False, "2026-11-22 12:31"),
        ("3 months", "2026-11-22 19:31:00+07", True, "2026-11-22 12:31 (quiet)"),
    ],
)
def test_when_a_channel_was_heard_is_told_in_utc(age: str, heard: str | None, quiet: bool, told: str, operator: Operator) -> None:
    operator.connect()
    fetch_now(
        operator.addresses.owner,
        "UPDATE channels SET created_at = now() - $1::text::interval, last_heard_at = $2::text::timestamptz,"
        " quiet_since = CASE WHEN $3 THEN now() END",
        age,
        heard,
        quiet,
    )
    head, line = operator.run("list").output.splitlines()
    start, end = head.index("heard (UTC)"), head.index("channel")
    assert line[start:end].strip() == told


def test_a_check_that_finds_a_dead_token_ends_with_1_and_says_what_to_do(operator: Operator) -> None:
    operator.connect("--token-file", "-", stdin=PAGE_TOKEN)
    operator.stand_in.answers["page"] = dead_token(460)
    told = operator.run("check", "--tenant", str(operator.tenant), str(operator.rows()[0]["id"]))
    assert told.exit_code == 1
    assert "connect the Page again" in told.output.splitlines()[-1]


@pytest.mark.parametrize("state_before", ["ok", "unchecked", "reconnect"])
def test_a_check_that_gets_no_answer_ends_with_2_whatever_was_known_before(state_before: str, operator: Operator) -> None:
    if state_before == "unchecked":
        operator.stand_in.answers["page"] = ill(503)
    operator.connect("--token-file", "-", stdin=PAGE_TOKEN)
    channel = str(operator.rows()[0]["id"])
    if state_before == "reconnect":
        operator.stand_in.answers["page"] = dead_token(460)
        assert operator.run("check", "--tenant", str(operator.tenant), channel).exit_code == 1
    operator.stand_in.answers["page"] = ill(503)
    assert operator.rows()[0]["token_state"] == state_before
    told = operator.run("check", "--tenant", str(operator.tenant), channel)
    (row,) = operator.rows()
    assert (told.exit_code, row["token_state"]) == (2, state_before)
    assert told.output.splitlines()[-1] == row["check_sentence"]
    assert "All is well" not in told.output


def test_a_hostile_name_moves_no_cursor(operator: Operator) -> None:
    operator.stand_in.connect_page(name="Hoa\x1b[2J\nSen\u202e")
    told = operator.connect("--token-file", "-", stdin=PAGE_TOKEN)
    assert told.exit_code == 0
    assert len(told.output.splitlines()) == 2
    assert "\x1b" not in told.output
    assert "\u202e" not in told.output


def test_a_list_may_be_of_one_tenant(operator: Operator) -> None:
    neighbour = uuid4()
    operator.onboard(neighbour, "Thép Bắc Hà")
    operator.connect()
    told = operator.run("connect", "--tenant", str(neighbour), "--id", "700000000000002")
    assert told.exit_code == 0
    assert len(operator.run("list").output.splitlines()) == 3
    (_, line) = operator.run("list", "--tenant", str(neighbour)).output.splitlines()
    assert line.startswith("Thép Bắc Hà  facebook  700000000000002")


def test_pages_that_nobody_connected_are_listed_for_who_looks_at_all_tenants(operator: Operator) -> None:
    fetch_now(
        operator.addresses.owner,
        "INSERT INTO unrouted_deliveries (id, platform, channel_external_id, body) VALUES (gen_random_uuid(), 'zalo', $1, '{}')",
        "oa\x1b[2J 77",
    )
    told = operator.run("list")
    assert "belong to no tenant" in told.output
    assert "  zalo  oa\N{REPLACEMENT CHARACTER}[2J 77  1 delivery, the last at " in told.output
    assert "belong to no tenant" not in operator.run("list", "--tenant", str(operator.tenant)).output
