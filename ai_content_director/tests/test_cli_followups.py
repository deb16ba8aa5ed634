"""`lead-signals followups …`: plain tables, clear sentences, nothing sent to many unasked, and no stranger at the terminal's wheel."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.cli_followups import followups
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.followups.follow_up import FollowUpState, webhook_id
from lead_signals.followups.oversight import redrive_many
from lead_signals.followups.oversight.receipt import follow_up_receipts
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import tenant_session
from tests.followups.oversight.overseen import attempted, audited, bring_to, endpoint_of, owed, row_of
from tests.intake.open_door import execute

HOSTILE = "Sales\x1b[2J\n\u202e✓"
WEBHOOK_URL = "http://127.0.0.1:9/hook"
AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
Seen = TypeVar("Seen")


class Operator:
    """Somebody at the server's command line, with a tenant to whom three follow-ups are owed: dead, retrying, pending."""

    def __init__(self, addresses: DatabaseAddresses) -> None:
        self.addresses = addresses
        self.tenant, (self.dead, self.retrying, self.pending) = self.at(lambda engine: owed(engine, addresses.owner, 3))
        self.at(self._lived)

    async def _lived(self, engine: AsyncEngine) -> None:
        self.endpoint = await endpoint_of(engine, self.tenant, HOSTILE)
        await attempted(engine, self.tenant, self.dead, 1, AT, http_status=503, error_class="HTTP503", answer_head=HOSTILE.encode())
        gone = {"endpoint_id": self.endpoint, "attempts": 1, "failures": 1}
        await bring_to(engine, self.tenant, self.dead, FollowUpState.DEAD, **gone)
        await bring_to(engine, self.tenant, self.retrying, FollowUpState.RETRYING, due_at=func.now() + func.make_interval(0, 0, 0, 1))
        async with tenant_session(engine, self.tenant) as session:
            receipt = {"receipt_key": "r1", "status": "accepted", "reference": HOSTILE, "note": "đã nhận", "received_at": AT}
            row = {"tenant_id": self.tenant, "follow_up_id": self.dead}
            await session.execute(insert(follow_up_receipts).values(**row, **receipt))

    def at(self, do: Callable[[AsyncEngine], Awaitable[Seen]]) -> Seen:
        async def inside() -> Seen:
            engine = app_engine(self.addresses.app, application_name="tests", pool_size=1)
            try:
                return await do(engine)
            finally:
                await engine.dispose()

        return asyncio.run(inside())

    def state(self, follow_up_id: UUID) -> str:
        return str(self.at(lambda engine: row_of(engine, self.tenant, follow_up_id)).state)

    def run(self, *arguments: object, stdin: str | None = None) -> Result:
        unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
        runner = CliRunner(env={**unset, "DATABASE_URL": self.addresses.app, "WEBHOOK_URL": WEBHOOK_URL})
        return runner.invoke(followups, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests look at all of it."""
    return make_database()


@pytest.fixture
def operator(database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> Operator:
    # What these logs look like is not for this process to decide: other tests log here too.
    monkeypatch.setattr("lead_signals.log_context.configure_logging", lambda _: None)
    asyncio.run(execute(database.owner, "DELETE FROM follow_ups"))
    return Operator(database)


def assert_steers_nothing(told: str) -> None:
    assert all(sign.isprintable() or sign == "\n" for sign in told), ascii(told)


@pytest.mark.parametrize("command", ["list", "show", "redrive", "cancel"])
def test_every_command_and_option_explains_itself(command: str, operator: Operator) -> None:
    told = operator.run(command, "--help")
    assert told.exit_code == 0
    assert len(told.output.splitlines()[2].strip()) > 15
    for option in followups.commands[command].params:
        assert not isinstance(option, click.Option) or option.help, f"{command} {option.name} is not explained"


def test_endpoints_are_a_group_of_it() -> None:
    assert "endpoints" in followups.commands


def test_the_list_is_a_table_newest_first_with_the_counts(operator: Operator) -> None:
    told = operator.run("list")
    assert told.exit_code == 0, told.output
    counts, head, *lines = told.output.splitlines()
    assert counts == "Follow-ups: 1 pending, 1 retrying, 1 dead"
    assert head.split("  ")[0] == "promised (UTC)"
    assert [UUID(line.split()[-1]) for line in lines] == [operator.pending, operator.retrying, operator.dead]
    assert " dead  " in lines[2]
    assert "1      HTTP503  accepted  Sales" in lines[2]
    assert "WEBHOOK_URL" in lines[0]
    assert_steers_nothing(told.output)
    assert operator.run("list", "--tenant", operator.tenant).output == told.output


def test_the_list_is_narrowed_and_paged(operator: Operator) -> None:
    def shown(*arguments: object) -> list[UUID]:
        told = operator.run("list", *arguments)
        assert told.exit_code == 0, told.output
        return [UUID(line.split()[-1]) for line in told.output.splitlines()[2:] if not line.startswith("Older ones")]

    assert shown("--state", "dead", "--state", "retrying") == [operator.retrying, operator.dead]
    assert shown("--endpoint", operator.endpoint) == [operator.dead]
    assert shown("--endpoint", "WEBHOOK_URL") == [operator.pending, operator.retrying]
    assert shown("--older-than", 60) == []
    first = operator.run("list", "--limit", 2)
    assert first.output.splitlines()[-1] == f"Older ones: --before {operator.retrying}"
    assert shown("--limit", 2, "--before", webhook_id(operator.retrying)) == [operator.dead]
    assert operator.run("list", "--state", "cancelled").output == "Follow-ups: none\n"
    assert operator.run("list", "--tenant", uuid4()).exit_code == 1


def test_one_is_shown_with_what_happened_and_whoever_wrote_steers_nothing(operator: Operator) -> None:
    told = operator.run("show", webhook_id(operator.dead))
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[0] == f"{webhook_id(operator.dead)}  dead"
    assert "    1  2026-11-20 08:30:00      12 ms  HTTP503" in told.output.splitlines()
    assert "       Sales�[2J �✓" in told.output.splitlines()
    assert "  2026-11-20 08:30:00  accepted  Sales�[2J �✓  đã nhận" in told.output.splitlines()
    assert_steers_nothing(told.output)
    unknown = operator.run("show", uuid4())
    assert (unknown.exit_code, "No tenant has a follow-up" in unknown.output) == (1, True)
    elsewhere = operator.run("show", operator.dead, "--tenant", uuid4())
    assert (elsewhere.exit_code, "has no follow-up" in elsewhere.output) == (1, True)
    assert operator.run("show", "x'; --").exit_code == 2


def test_named_ones_are_sent_again_each_with_its_sentence(operator: Operator) -> None:
    told = operator.run("redrive", webhook_id(operator.dead), operator.pending, operator.retrying)
    assert told.exit_code == 1, "one of them was refused"
    assert told.stdout.splitlines() == [
        f"{operator.dead}  A running worker sends it now.",
        f"{operator.retrying}  A running worker sends it now.",
    ]
    assert told.stderr == f"{operator.pending}  It was never tried and is due already. A running worker sends it now.\n"
    assert operator.state(operator.dead) == "retrying"
    assert operator.run("redrive", operator.dead).exit_code == 0


def test_many_are_sent_again_only_when_somebody_said_yes(operator: Operator) -> None:
    dry = operator.run("redrive", "--all", "--dry-run")
    assert dry.output.splitlines()[-1] == "1 dead follow-up would be sent again."
    assert dry.output.splitlines()[1].split() == [str(operator.tenant), str(operator.endpoint), "1"]
    for arguments, sentence in (
        (["--all"], "nobody is here to be asked"),
        (["--yes"], "Say whose"),
        (["--all", "--tenant", operator.tenant, "--yes"], "Say whose"),
        (["--all", "--state", "retrying", "--since", "1d", "--yes"], "about when one died"),
        ([operator.dead, "--all"], "not both"),
        (["--all", "--since", "gestern"], "is no moment"),
        (["--all", "--endpoint", "<b>"], "expected an endpoint's id"),
    ):
        refused = operator.run("redrive", *arguments)
        assert (refused.exit_code, sentence in refused.output) == (2, True), refused.output
    assert operator.state(operator.dead) == "dead"
    none = operator.run("redrive", "--all", "--endpoint", "WEBHOOK_URL", "--yes")
    assert (none.exit_code, none.output) == (0, "No dead follow-up fits: nothing to send again.\n")
    assert operator.run("redrive", "--all", "--until", "1h", "--yes").output == "No dead follow-up fits: nothing to send again.\n"
    done = operator.run("redrive", "--tenant", operator.tenant, "--since", "1h", "--yes")
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1 is due now: a running worker sends it.")
    assert operator.state(operator.dead) == "retrying"
    assert operator.run("redrive", "--tenant", uuid4(), "--yes").exit_code == 1


def test_many_are_narrowed_as_in_the_list(operator: Operator) -> None:
    lead_id = operator.at(lambda engine: row_of(engine, operator.tenant, operator.dead)).lead_id
    none = "No dead follow-up fits: nothing to send again.\n"
    assert operator.run("redrive", "--all", "--lead", uuid4(), "--yes").output == none
    assert operator.run("redrive", "--all", "--older-than", 60, "--yes").output == none
    for arguments in (["--lead", lead_id], ["--older-than", 0]):
        refused = operator.run("redrive", operator.dead, *arguments)
        assert (refused.exit_code, "not both" in refused.output) == (2, True)
    done = operator.run("redrive", "--all", "--lead", lead_id, "--older-than", 0, "--yes")
    assert (done.exit_code, operator.state(operator.dead)) == (0, "retrying"), done.output


def test_a_paused_endpoint_is_told_with_the_command_that_resumes_it(operator: Operator) -> None:
    pause = f"UPDATE follow_up_endpoints SET paused_at = now(), pause_reason = 'gone' WHERE id = '{operator.endpoint}'"
    asyncio.run(execute(operator.addresses.owner, pause))
    resume = f"resume it (lead-signals followups endpoints resume --tenant {operator.tenant} {operator.endpoint})."
    told = operator.run("redrive", "--all", "--yes")
    assert told.exit_code == 0, told.output
    assert told.output.splitlines()[-2].endswith(resume)
    assert told.output.splitlines()[-1] == "1 is due, and sent when the endpoint listens again."
    assert operator.run("redrive", operator.dead).output.strip().endswith(resume)


def test_what_began_and_never_ended_is_shown(operator: Operator) -> None:
    async def live_on(engine: AsyncEngine) -> None:
        await bring_to(engine, operator.tenant, operator.dead, FollowUpState.DELIVERING, attempts=4, finished_at=None, cancel_asked=True)
        await attempted(engine, operator.tenant, operator.dead, 3, AT)

    operator.at(live_on)
    told = operator.run("show", operator.dead).output.splitlines()
    assert told[0] == f"{webhook_id(operator.dead)}  delivering (called off, unless the running attempt delivers)"
    assert told[3].startswith("  endpoint  the tenant's: Sales")
    assert "    2  began, and its worker never came back" in told
    assert [line[:5] for line in told if line[4:5] in "123456789" and line.startswith("    ")] == ["    1", "    2", "    3"], "4 runs now"
    operator.at(lambda engine: bring_to(engine, operator.tenant, operator.dead, FollowUpState.DEAD, lease_until=None))
    told = operator.run("show", operator.dead).output.splitlines()
    assert told[0] == f"{webhook_id(operator.dead)}  dead", "nothing runs any more"
    assert "    4  began, and its worker never came back" in told
    assert operator.run("show", operator.pending).output.splitlines()[3].startswith("  endpoint  the operator's: WEBHOOK_URL (webhook)")


def test_at_a_terminal_one_is_asked_and_no_means_no(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lead_signals.cli_followups.somebody_is_here", lambda: True)
    refused = operator.run("redrive", "--all", stdin="n\n")
    assert (refused.exit_code, "Send 1 dead follow-up again?" in refused.stderr) == (1, True)
    assert operator.state(operator.dead) == "dead"
    assert operator.run("redrive", "--all", stdin="y\n").exit_code == 0
    assert operator.state(operator.dead) == "retrying"


def test_progress_is_told_in_lines_where_nobody_sees_a_bar(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redrive_many, "PORTION", 1)
    monkeypatch.setattr("lead_signals.cli_followups.TOLD_EVERY", 1)

    async def die(engine: AsyncEngine) -> None:
        for follow_up_id in (operator.pending, operator.retrying):
            await bring_to(engine, operator.tenant, follow_up_id, FollowUpState.DEAD)

    operator.at(die)
    told = operator.run("redrive", "--all", "--yes")
    assert told.stderr.splitlines() == ["1 of 3", "2 of 3", "3 of 3"]
    assert told.stdout.splitlines()[-1] == "3 are due now: a running worker sends them."
    events: list[Any] = operator.at(lambda engine: audited(engine, operator.tenant, "FOLLOW_UP_REDRIVEN"))
    assert [event.detail["count"] for event in events] == [1, 1, 1]


def test_named_ones_are_called_off(operator: Operator) -> None:
    told = operator.run("cancel", operator.pending, webhook_id(operator.dead))
    assert (told.exit_code, told.output.count("It is cancelled: nothing more is sent.")) == (0, 2)
    assert [operator.state(each) for each in (operator.pending, operator.dead, operator.retrying)] == ["cancelled", "cancelled", "retrying"]
    again = operator.run("cancel", operator.pending)
    assert (again.exit_code, "It is cancelled already" in again.stderr) == (1, True)
    assert operator.run("cancel").exit_code == 2
