"""The operator's door: every command explains itself, says what it did, and leaves with a status a script can use."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lead_signals import __version__
from lead_signals.cli import cli
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.migrate import newest_revision
from lead_signals.settings import Settings
from tests.intake.open_door import fetch_now
from tests.product import SERVICE, clean_environment, free_port

COMMANDS = sorted(cli.commands)


def run(*arguments: str, stdin: bytes = b"", **environment: str) -> Result:
    unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
    return CliRunner(env={**unset, **environment}).invoke(cli, list(arguments), input=stdin)


def run_process(*arguments: str, stdin: bytes = b"", **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """The same as an operator does it: a process of its own."""
    command = [sys.executable, "-m", "lead_signals", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, cwd=SERVICE, env={**clean_environment(), **environment}, timeout=60, check=False
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself(command: str, flag: str) -> None:
    told = run(command, flag)
    assert told.exit_code == 0
    assert told.output.startswith(f"Usage: cli {command} ")
    sentence = told.output.splitlines()[2].strip()
    assert len(sentence) > 15
    assert sentence[0].isupper()
    for option in cli.commands[command].params:
        if isinstance(option, click.Option) and not cli.commands[command].hidden:
            assert option.help, f"{command} {option.opts[0]} is not explained"


def test_the_first_help_names_every_command_and_where_to_start() -> None:
    told = run("--help")
    assert told.exit_code == 0
    for command in COMMANDS:
        assert (f"  {command} " in told.output) != cli.commands[command].hidden
    for line in ("Start here:   lead-signals serve", "Is it well?   lead-signals doctor", ".env.example"):
        assert line in told.output
    assert {"serve", "worker", "migrate", "doctor", "classify", "explain", "evaluate", "demo"} <= set(COMMANDS)


def test_the_help_tells_what_is_heard_and_what_a_worker_does() -> None:
    first, of_worker = (" ".join(run(*words, "--help").output.split()) for words in ((), ("worker",)))
    assert "comments and messages of Facebook, Instagram, WhatsApp, Zalo and TikTok" in first
    for work in (
        "follow-ups to n8n",
        "lead forms and senders' names",
        "checks the channels",
        "silent channels",
        "deliveries kept",
        "receipts",
    ):
        assert work in of_worker


def test_as_a_process_it_calls_itself_by_its_name() -> None:
    told = run_process("--version")
    assert (told.returncode, told.stdout) == (0, f"lead-signals, version {__version__}\n".encode())
    assert run_process("--help").stdout.startswith(b"Usage: lead-signals ")


@pytest.mark.parametrize(
    "arguments", [["serv"], ["serve", "--port", "0"], ["serve", "--port", "x"], ["worker", "--lease-seconds", "1"], ["explain"]]
)
def test_a_slip_of_the_pen_is_told_and_nothing_runs(arguments: list[str]) -> None:
    told = run(*arguments)
    assert told.exit_code == 2
    assert "Usage: cli" in told.output
    assert "Error: " in told.output


def test_migrate_says_where_the_database_is_now(fresh_database: DatabaseAddresses) -> None:
    fetch_now(fresh_database.owner, "DROP SCHEMA public CASCADE")
    fetch_now(fresh_database.owner, "CREATE SCHEMA public")
    for _ in range(2):
        told = run("migrate", DATABASE_URL=fresh_database.app, DATABASE_OWNER_URL=fresh_database.owner)
        assert (told.exit_code, told.output) == (0, f"The database is at {newest_revision()}.\n")
    (row,) = fetch_now(fresh_database.owner, "SELECT version_num FROM alembic_version")
    assert row["version_num"] == newest_revision()


@pytest.mark.parametrize("command", [["migrate"], ["doctor"], ["serve", "--port", "59999"]], ids=lambda command: command[0])
@pytest.mark.parametrize("address", ["postgresql://u:dau-vet@127.0.0.1:1/d", "mysql://u:dau-vet@h/d", "dau-vet"])
def test_a_database_that_is_not_there_is_one_sentence(command: list[str], address: str) -> None:
    told = run_process(*command, DATABASE_URL=address)
    said = (told.stdout + told.stderr).decode()
    assert told.returncode == 1
    assert "Traceback" not in said
    assert "dau-vet" not in said
    assert "DATABASE_URL" in said
    if command != ["doctor"]:
        assert len(told.stderr.decode().splitlines()) == 1
        assert told.stderr.startswith(b"Error: ")


@pytest.mark.parametrize("command", [["migrate"], ["worker"], ["serve"], ["api"], ["demo"]], ids=lambda command: command[0])
def test_an_environment_that_needs_a_hand_is_told_before_anything_starts(command: list[str]) -> None:
    told = run(*command, APP_ENV="production", LOG_LEVEL="loud")
    assert told.exit_code == 1
    lines = told.output.splitlines()
    assert lines[0] == "Error: the environment needs a hand:"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "LOG_LEVEL",
        "DATABASE_URL",
        "FACEBOOK_APP_SECRET",
        "FACEBOOK_VERIFY_TOKEN",
        "OPERATOR_API_KEY",
    ]


def test_the_api_alone_needs_a_database_to_be_named() -> None:
    told = run("api")
    assert told.exit_code == 1
    assert told.output == "Error: DATABASE_URL is not set: start `lead-signals serve`, which brings a database along.\n"


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = run_process("serve", "--port", str(port), DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert told.returncode == 1
    assert told.stderr.decode() == f"Error: Port {port} on 127.0.0.1 cannot be used (Address already in use). Choose another with --port.\n"


def test_a_reader_who_has_gone_ends_it_quietly(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "lead_signals", "serve", "--port", str(free_port()), "--data-dir", str(tmp_path / "data")]
    with os.fdopen(writing, "wb") as nobody_reads:
        ended = subprocess.run(
            command, stdout=nobody_reads, stderr=subprocess.PIPE, cwd=SERVICE, env=clean_environment(), timeout=60, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_a_demo_without_a_server_says_how_to_start_one() -> None:
    told = run("demo", "--url", "http://127.0.0.1:1")
    assert told.exit_code == 1
    assert "http://127.0.0.1:1: " in told.output
    assert "Start one with bin/serve." in told.output


@pytest.mark.parametrize("command", ["doctor", "worker"])
def test_who_only_looks_or_helps_makes_no_database(command: str, tmp_path: Path) -> None:
    answered = run_process(command, "--data-dir", str(tmp_path / "nothing"))
    assert answered.returncode == 1
    assert f"There is no database in {tmp_path / 'nothing'}: start bin/serve".encode() in answered.stderr
    assert list(tmp_path.iterdir()) == []
