"""`lead-signals replay`: what the operator reads, is asked, and may interrupt."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from lead_signals.cli_replay import NOT_THE_DOORS_RULES
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.intake.moment_option import Moment
from lead_signals.intent import classify
from lead_signals.intent.statistics import statistical_model
from lead_signals.settings import Settings
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import (
    CAKE,
    Day,
    a_mixed_day,
    everything,
    mock,
    mocks,
    replay_door,
    rules_with_the_cake,
    send,
    two_tenants,
)
from tests.intake.open_door import fetch_now
from tests.product import SERVICE, clean_environment
from tests.waiting import wait_until

ALL = ("--since", "2020-01-01")


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests read all of it again."""
    return make_database()


@pytest.fixture(scope="module", autouse=True)
def rules_alone() -> Iterator[None]:
    """Only rules judge: what the statistics make of an invented cake changes with each training, and is told elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "packaged_model", lambda: None)
        yield


@pytest.fixture
def as_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start one: it judges with the statistics, so what is here does too."""
    monkeypatch.setattr(classify, "packaged_model", statistical_model.packaged_model)


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Logging is the process's, and here the tests'; the levels that a command asked for are kept."""
    levels: list[str] = []
    monkeypatch.setattr("lead_signals.log_context.configure_logging", levels.append)
    return levels


@pytest.fixture(scope="module")
def day(database: DatabaseAddresses) -> Day:
    """A mixed day. Tests of this file leave it as it is."""

    async def build() -> Day:
        engine = app_engine(database.app, application_name="tests", pool_size=5)
        try:
            async with replay_door(database) as client:
                return await a_mixed_day(client, engine, database)
        finally:
            await engine.dispose()

    return asyncio.run(build())


def said(database: DatabaseAddresses, *messages: str) -> Day:
    """Two tenants; the first one got these comments, each in a delivery of its own, and the second the last of them."""

    async def build() -> Day:
        engine = app_engine(database.app, application_name="tests", pool_size=5)
        try:
            async with replay_door(database) as client:
                fresh = await two_tenants(engine)
                for number, message in enumerate(messages):
                    await send(client, mocks(mock(f"c{number}", message)), fresh.here)
                await send(client, mocks(mock("c0", messages[-1])), fresh.there)
                return fresh
        finally:
            await engine.dispose()

    return asyncio.run(build())


@pytest.fixture
def cake(tmp_path: Path) -> str:
    return str(rules_with_the_cake(tmp_path / "rules"))


def run(database: DatabaseAddresses, *arguments: str, **environment: str) -> Result:
    unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
    environment = {"DATABASE_URL": database.app, **environment}
    return CliRunner(env={**unset, **environment}).invoke(cli, ["replay", *arguments])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lead_signals", "replay", *arguments]


def snapshot(database: DatabaseAddresses) -> dict[str, list[str]]:
    return asyncio.run(everything(database.owner))


def test_the_same_rules_say_so_in_one_sentence(database: DatabaseAddresses, day: Day) -> None:
    told = run(database, *ALL, "--tenant", str(day.here), "--dry-run")
    assert told.exit_code == 0, told.output
    *notes, sentence = told.stdout.splitlines()
    assert notes == ["Leads that keep the verdict of their lead form: 2"]
    assert sentence.startswith("Read 18 receipts with 46 items again in ")
    assert sentence.endswith(" s: no difference in 26 leads; nothing was written (--dry-run).")
    assert told.stderr.splitlines()[-1] == "18 of 18 receipts", "no bar where nobody looks"


def test_other_rules_are_told_as_tables_and_lines(database: DatabaseAddresses, day: Day, cake: str) -> None:
    before = snapshot(database)
    told = run(database, *ALL, "--tenant", str(day.here), "--rules", cake, "--dry-run")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[:9] == [
        "Leads with another lane: 3",
        "  from, to      new_auto",
        "  new_escalate         3",
        "",
        "Leads with another intent: 3",
        "  from, to  purchase_intent",
        "  unknown                 3",
        "",
        "Leads with another priority: 3",
    ]
    change = "new_escalate → new_auto, unknown → purchase_intent, medium → high, 0.3 → 0.95"
    lines = [line[38:] for line in told.stdout.splitlines() if change in line]
    assert lines == [f"{change}{stays}  “{CAKE}”" for stays in ("", " (won: stays)", "")]
    assert "Leads that differ and stay, for a person decided about them or took them back: 1" in told.stdout
    assert "3 differences in 26 leads; nothing was written" in told.stdout.splitlines()[-1]
    assert snapshot(database) == before


def test_rows_are_limited_and_the_rest_is_counted(database: DatabaseAddresses, day: Day, cake: str) -> None:
    shown = run(database, *ALL, "--tenant", str(day.here), "--rules", cake, "--dry-run", "--limit", "1").stdout
    assert shown.count(CAKE) == 1
    assert "… and 2 more; --limit shows more of them, --json all" in shown
    nothing = run(database, *ALL, "--tenant", str(day.here), "--rules", cake, "--dry-run", "--limit", "0").stdout
    assert nothing.count(CAKE) == 0
    assert "Leads with another lane: 3" in nothing


def test_json_gives_all_of_it_line_by_line(database: DatabaseAddresses, day: Day, cake: str, logging_as_it_was: list[str]) -> None:
    told = run(database, *ALL, "--rules", cake, "--dry-run", "--json", "--limit", "1")
    *rows, summary = [json.loads(line) for line in told.stdout.splitlines()]
    assert [row["kind"] for row in rows] == ["changed"] * 4
    assert {(row["new"]["intent_label"], row["new"]["lane"], row["text"]) for row in rows} == {("purchase_intent", "new_auto", CAKE)}
    assert {UUID(row["tenant_id"]) for row in rows} == {day.here, day.there}
    assert (summary["kind"], summary["differences"], summary["changed"], summary["decided"], summary["forms"]) == ("summary", 4, 4, 1, 2)
    assert summary["moves"]["intent"] == [{"from": "unknown", "to": "purchase_intent", "leads": 4}]
    assert summary["written"] == {"read_again": 0, "created": 0, "changes": 0, "overtaken": 0, "refused": 0}
    assert "4 differences" in told.stderr
    assert set(logging_as_it_was) == {"WARNING"}, "an unconfigured log would go to standard output, between the lines"


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["lines", "json"])
def test_without_a_terminal_and_without_yes_nothing_is_written(database: DatabaseAddresses, day: Day, cake: str, flags: list[str]) -> None:
    before = snapshot(database)
    told = run(database, *ALL, "--rules", cake, *flags)
    assert told.exit_code == 2
    assert "add --yes, or --dry-run" in told.stderr
    assert snapshot(database) == before


def test_with_yes_it_writes_and_says_that_nobody_was_told(database: DatabaseAddresses, cake: str) -> None:
    fresh = said(database, CAKE, URGENT, CAKE)
    before = snapshot(database)["follow_ups"]
    told = run(database, *ALL, "--tenant", str(fresh.here), "--rules", cake, "--yes", WEBHOOK_URL="https://n8n.example/webhook")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[-1].endswith(
        ": 2 differences in 3 leads; 2 leads got a new verdict, 0 leads created, 0 changes applied;"
        " nothing was sent and no follow-up promised."
    )
    assert snapshot(database)["follow_ups"] == before
    warned = [number for number, line in enumerate(told.stderr.splitlines()) if line == NOT_THE_DOORS_RULES]
    assert warned == [0, len(told.stderr.splitlines()) - 1], "before it writes, and again at the end"
    assert "packaged rules" in NOT_THE_DOORS_RULES
    again = run(database, *ALL, "--tenant", str(fresh.here), "--rules", cake, "--dry-run")
    assert "no difference" in again.stdout
    assert NOT_THE_DOORS_RULES not in again.output, "a dry run writes nothing"
    back = run(database, *ALL, "--tenant", str(fresh.here), "--yes")
    assert "2 leads got a new verdict" in back.stdout, "the warning tells the truth"
    assert NOT_THE_DOORS_RULES not in back.output, "these are the packaged rules"
    assert "2 leads got a new verdict" in run(database, *ALL, "--tenant", str(fresh.here), "--rules", cake, "--yes", "--json").stderr
    assert CAKE in run(database, *ALL, "--tenant", str(fresh.there), "--rules", cake, "--dry-run").stdout, "another tenant's lead"


def test_rules_may_be_one_language_several_or_a_folder_of_them(database: DatabaseAddresses, day: Day, cake: str) -> None:
    whole = run(database, *ALL, "--tenant", str(day.here), "--rules", cake, "--dry-run").stdout
    apart = [part for language in ("vietnamese", "english") for part in ("--rules", f"{cake}/{language}")]
    listed = run(database, *ALL, "--tenant", str(day.here), *apart, "--dry-run").stdout
    assert [line for line in listed.splitlines() if "Read " not in line] == [line for line in whole.splitlines() if "Read " not in line]
    alone = run(database, *ALL, "--tenant", str(day.here), "--rules", f"{cake}/english", "--dry-run")
    assert alone.exit_code == 0
    assert "inquiry_price" in alone.stdout


def test_what_people_wrote_does_nothing_to_the_terminal(database: DatabaseAddresses, cake: str) -> None:
    fresh = said(database, f"{CAKE}\x1b[2J\x1b]0;x\x07\n\u202e{'a' * 200}")
    for flags in ([], ["--json"]):
        told = run(database, *ALL, "--tenant", str(fresh.here), "--rules", cake, "--dry-run", *flags).output
        assert all(sign.isprintable() or sign == "\n" for sign in told)
        assert CAKE in told
        assert "a" * 60 not in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing option '--since'"),
        (["--since", "gestern"], "'gestern' is no moment; write 2026-11-01, 2026-11-01T08:00+07:00, 7d or 24h."),
        (["--since", "99999999999999d"], "is no moment"),
        (["--since", ""], "is no moment"),
        (["--since", "2999-01-01"], "lies after the end of the time to read"),
        (["--since", "1d", "--until", "2d"], "lies after the end of the time to read"),
        (["--since", "1d", "--tenant", "x"], "is not a valid UUID"),
        (["--since", "1d", "--rules", "/nowhere/at/all"], "does not exist"),
        (["--since", "1d", "--rules", "tests"], "holds no rules: expected language.yaml in it, or in folders of it."),
    ],
)
def test_a_slip_of_the_pen_is_one_clear_sentence(database: DatabaseAddresses, arguments: list[str], sentence: str) -> None:
    told = run(database, *arguments, "--dry-run")
    assert told.exit_code == 2
    assert sentence in " ".join(told.stderr.split())


def test_an_unknown_tenant_and_broken_rules_are_told(database: DatabaseAddresses, cake: str) -> None:
    nobody = uuid4()
    told = run(database, *ALL, "--tenant", str(nobody), "--dry-run")
    assert (told.exit_code, told.stderr) == (1, f"Error: There is no tenant {nobody}.\n")
    (Path(cake) / "vietnamese" / "rules" / "the_cake.yaml").write_text("intent: cake\nrules: []\n", encoding="utf-8")
    told = run(database, *ALL, "--rules", cake, "--dry-run")
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: These rules cannot be used:\nvietnamese/rules/the_cake.yaml:1: intent 'cake' is none of ")


def test_a_database_that_is_away_is_one_sentence(database: DatabaseAddresses) -> None:
    told = run(database, *ALL, "--dry-run", DATABASE_URL="postgresql://u:dau-vet@127.0.0.1:1/d")
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: PostgreSQL cannot be reached")
    assert "dau-vet" not in told.output


def test_moments_are_read_with_and_without_a_zone() -> None:
    def moment(value: str) -> datetime:
        return Moment().convert(value, None, None)

    assert moment("2026-11-01") == datetime(2026, 11, 1, tzinfo=UTC)
    assert moment("2026-11-01T08:30") == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert moment("2026-11-01T08:30+07:00") == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)
    for value, ago in (("7d", timedelta(days=7)), ("24h", timedelta(hours=24)), ("30m", timedelta(minutes=30))):
        assert abs(datetime.now(UTC) - ago - moment(value)) < timedelta(seconds=5)


def on_terminal(database: DatabaseAddresses, *arguments: str, typed: str) -> tuple[int, str]:
    """Exit status and screen of a run on a terminal on which somebody types."""
    ours, theirs = pty.openpty()
    environment = {**clean_environment(), "DATABASE_URL": database.app, "TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen(command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs, cwd=SERVICE, env=environment)
    os.close(theirs)
    os.write(ours, typed.encode())
    screen = b""
    while True:
        try:
            seen = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not seen:
            break
        screen += seen
    os.close(ours)
    return process.wait(60), screen.decode()


def test_on_a_terminal_it_asks_and_shows_a_bar(database: DatabaseAddresses, cake: str, as_another_process: None) -> None:
    fresh = said(database, CAKE, POLITE)
    asked = (*ALL, "--tenant", str(fresh.here), "--rules", cake)
    before = snapshot(database)
    status, screen = on_terminal(database, *asked, typed="n\n")
    assert (status, "Receipts to read again: 2, tenants: 1." in screen, "no follow-up is promised" in screen) == (1, True, True)
    assert "Aborted!" in screen
    assert screen.index(NOT_THE_DOORS_RULES) < screen.index("Write?")
    assert snapshot(database) == before
    status, screen = on_terminal(database, *asked, typed="y\n")
    assert (status, "1 lead got a new verdict" in screen) == (0, True)
    assert "100%" in screen
    assert "2 of 2 receipts" not in screen


def test_ctrl_c_tells_where_it_stopped_and_how_to_go_on(database: DatabaseAddresses, cake: str, as_another_process: None) -> None:
    """It is held up in the middle, by somebody who has a lead of the second tenant open; the first tenant is done by then."""
    fresh = said(database, CAKE)
    since = fetch_now(database.owner, "SELECT min(received_at) AS first FROM receipts WHERE tenant_id = $1", fresh.here)[0]["first"]
    loop = asyncio.new_event_loop()
    person: Any = loop.run_until_complete(asyncpg.connect(dsn=database.owner))
    try:
        loop.run_until_complete(person.execute("BEGIN"))
        loop.run_until_complete(person.execute("SELECT 1 FROM lead_signals WHERE tenant_id = $1 FOR UPDATE", fresh.there))
        arguments = command("--since", since.isoformat(), "--rules", cake, "--yes")
        environment = {**clean_environment(), "DATABASE_URL": database.app}
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=SERVICE, env=environment, text=True
        )
        waits = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lead-signals replay' AND wait_event_type = 'Lock'"
        wait_until(lambda: fetch_now(database.owner, waits), "the replay waits for the lead")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        loop.run_until_complete(person.close())
        loop.close()
    assert (process.returncode, out) == (130, "")
    stopped, advice = err.splitlines()[-2:]
    assert stopped == (
        f"Stopped after receipt 1 of 2: tenant {fresh.here}, received {since.isoformat()}. Written: new verdicts 1, new leads 0, changes 0."
    )
    assert advice.startswith("The same command finds the rest.")
    rest = run(database, "--since", since.isoformat(), "--rules", cake, "--yes")
    assert "1 lead got a new verdict" in rest.stdout
