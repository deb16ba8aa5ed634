"""`lead-signals rules`: a tenant's own rules are stored, compared on what people wrote, turned on and back; and nothing by the way."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.intent import classify
from lead_signals.settings import Settings
from tests.deliveries import POLITE, URGENT
from tests.intake.a_mixed_day import everything, mock, mocks, replay_door, send, two_tenants
from tests.intake.open_door import execute, fetch_now
from tests.rule_packs.own_rules import OTHER_PRODUCT, PRODUCT, force_unreadable, rules_naming


@pytest.fixture(scope="module")
def database(make_database: Callable[[], DatabaseAddresses]) -> DatabaseAddresses:
    """A database of this file's own: its tests look at all of it."""
    return make_database()


@pytest.fixture(scope="module", autouse=True)
def rules_alone() -> Iterator[None]:
    """Only rules judge: what the statistics make of an invented product changes with each training, and is told elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classify, "packaged_model", lambda: None)
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logging is the process's, and here the tests'."""
    monkeypatch.setattr("lead_signals.log_context.configure_logging", lambda level: None)


@pytest.fixture
def tenant_id(database: DatabaseAddresses) -> UUID:
    """A tenant to whom five people wrote, and about three of whom somebody decided. Another tenant heard the first of them too."""

    async def build() -> UUID:
        engine = app_engine(database.app, application_name="tests", pool_size=5)
        try:
            async with replay_door(database) as client:
                day = await two_tenants(engine)
                hostile = f"{PRODUCT}\x1b[2J\n\u202e{'a' * 200}"
                said = [PRODUCT, URGENT, POLITE, hostile, f"{PRODUCT} nhé"]
                for number, message in enumerate(said):
                    await send(client, mocks(mock(f"c{number}", message)), day.here)
                await send(client, mocks(mock("c0", PRODUCT)), day.there)
        finally:
            await engine.dispose()
        for message, status in (("c0", "won"), ("c1", "confirmed"), ("c4", "dismissed")):
            where = f"tenant_id = '{day.here}' AND external_message_id = '{message}'"
            await execute(database.owner, f"UPDATE lead_signals SET status = '{status}' WHERE {where}")
        return day.here

    return asyncio.run(build())


class Rules:
    """The command on one database."""

    def __init__(self, address: str, tenant_id: UUID, folder: Path) -> None:
        unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
        self._runner = CliRunner(env={**unset, "DATABASE_URL": address})
        self._tenant_id, self._folder = tenant_id, folder

    def __call__(self, command: str, *arguments: object, of: UUID | None = None) -> Result:
        return self._runner.invoke(cli, ["rules", command, "--tenant", str(of or self._tenant_id), *map(str, arguments)])

    def file(self, content: str | bytes, name: str = "our_rules.yaml") -> Path:
        """A file that holds this."""
        path = self._folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def added(self, product: str, *arguments: object) -> None:
        told = self("add", self.file(rules_naming(product)), *arguments)
        assert told.exit_code == 0, told.output


@pytest.fixture
def rules(database: DatabaseAddresses, tenant_id: UUID, tmp_path: Path) -> Rules:
    return Rules(database.app, tenant_id, tmp_path)


def snapshot(database: DatabaseAddresses) -> dict[str, list[str]]:
    return asyncio.run(everything(database.owner))


def stored(database: DatabaseAddresses, tenant_id: UUID) -> int:
    return int(fetch_now(database.owner, "SELECT count(*) FROM rule_packs WHERE tenant_id = $1", tenant_id)[0]["count"])


def test_add_list_and_show_tell_what_is_stored(rules: Rules, tenant_id: UUID) -> None:
    assert rules("list").stdout == "The packaged rules alone are in force.\n"
    told = rules("add", rules.file(rules_naming(PRODUCT)), "--note", " máy chấn tôn ")
    assert told.exit_code == 0, told.output
    assert told.stdout == "Version 1 is stored, and judges nothing yet.\n"
    assert told.stderr == f"Next: lead-signals rules compare --tenant {tenant_id} --version 1\n"
    assert rules("add", rules.file(rules_naming(PRODUCT))).stdout == "Version 1 holds exactly these rules already; nothing was added.\n"
    rules.added(OTHER_PRODUCT)
    newest, first, packaged = rules("list").stdout.splitlines()
    assert re.fullmatch(r"   2  20\d\d-\d\d-\d\d \d\d:\d\d UTC           +\d+ bytes", newest)
    assert re.fullmatch(r"   1  20\d\d-\d\d-\d\d \d\d:\d\d UTC           +\d+ bytes  máy chấn tôn", first)
    assert packaged == "The packaged rules alone are in force."
    assert rules("show", "--version", 1).stdout == rules_naming(PRODUCT)
    assert rules("show").exit_code == 1
    assert "no rules of its own in force" in rules("show").output
    rules("activate", "--version", 2)
    assert rules("show").stdout == rules_naming(OTHER_PRODUCT)
    assert [" active " in line for line in rules("list").stdout.splitlines()] == [True, False]


def test_a_file_with_mistakes_is_refused_as_a_whole_with_a_line_for_each(
    rules: Rules, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    mistaken = rules_naming(PRODUCT).replace("weight: 0.95", "weight: 7").replace("purchase_intent", "buys")
    told = rules("add", rules.file(mistaken))
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: These rules cannot be used:\n")
    assert sum(line.startswith("our_rules.yaml:") for line in told.stderr.splitlines()) == 2
    unproven = rules("add", rules.file(rules_naming(PRODUCT).replace(f"says: [{PRODUCT}]", "says: [Xin chào buổi sáng]")))
    assert (unproven.exit_code, "does not find its own sentence" in unproven.stderr) == (1, True)
    assert stored(database, tenant_id) == 0


@pytest.mark.parametrize("content", [b"\xff\xfe", b"rules: [\x00]", b"\x1b[2J: 1", b"a: &a [*a, *a]", b"x" * (3 * 1024 * 1024), b""])
def test_a_hostile_file_is_one_refusal_that_leaves_the_terminal_alone(
    content: bytes, rules: Rules, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    told = rules("add", rules.file(content))
    assert told.exit_code == 1
    assert told.stderr.startswith("Error: ")
    assert all(sign.isprintable() or sign == "\n" for sign in told.output)
    assert len(told.output) < 2_000
    assert stored(database, tenant_id) == 0


def test_wordings_that_run_away_are_refused_and_dead_ones_are_warnings(rules: Rules, database: DatabaseAddresses, tenant_id: UUID) -> None:
    wild = rules_naming(PRODUCT).replace("any_of: [", "any_of: [gia ~8 gia ~8 gia, ")
    told = rules("add", rules.file(wild))
    assert (told.exit_code, stored(database, tenant_id)) == (1, 0)
    assert "our_rules.yaml:6: rule 'names our product': any_of: 'gia ~8 gia ~8 gia' its gaps" in told.stderr
    dead = rules_naming(PRODUCT).replace("any_of: [", "any_of: [2 nghìn zuka, ")
    told = rules("add", rules.file(dead))
    assert (told.exit_code, stored(database, tenant_id)) == (0, 1)
    assert told.stderr.startswith("Warning: our_rules.yaml:6: dead: rule 'names our product': '2 nghìn zuka': it can never speak")


def test_packaged_sentences_that_are_read_differently_are_warnings(rules: Rules) -> None:
    grabs_prices = rules_naming(PRODUCT).replace("any_of: [", 'any_of: ["báo giá", ').replace("0.95", "0.97")
    told = rules("add", rules.file(grabs_prices))
    assert told.exit_code == 0, told.output
    assert told.stderr.startswith("Warning: ")


def test_activate_and_back_say_what_they_turned_to(rules: Rules, database: DatabaseAddresses, tenant_id: UUID) -> None:
    rules.added(PRODUCT)
    rules.added(OTHER_PRODUCT)
    assert rules("back").stderr == ("Error: The packaged rules alone were in force from the beginning: there is nothing to go back to.\n")
    assert rules("activate", "--version", 1).stdout == "In force now: version 1. Before: the packaged rules alone.\n"
    assert rules("activate", "--version", 1).stdout == "In force already: version 1.\n"
    assert rules("activate", "--version", 2).stdout == "In force now: version 2. Before: version 1.\n"
    assert rules("back").stdout == "In force now: version 1. Before: version 2.\n"
    assert rules("activate", "--packaged").stdout == "In force now: the packaged rules alone. Before: version 1.\n"
    events = fetch_now(
        database.owner,
        "SELECT event_type, actor, entity_type, entity_id = tenant_id AS own FROM audit_events"
        " WHERE tenant_id = $1 AND event_type LIKE 'RULE_PACK%' ORDER BY id",
        tenant_id,
    )
    assert [tuple(event) for event in events] == [("RULE_PACK_ADDED", "OPERATOR", "rule_pack", True)] * 2 + [
        ("RULE_PACK_TURNED", "OPERATOR", "rule_pack", True)
    ] * 4


def test_a_version_that_cannot_be_used_any_more_is_told_and_not_turned_to(
    rules: Rules, database: DatabaseAddresses, tenant_id: UUID
) -> None:
    asyncio.run(force_unreadable(database.owner, tenant_id))
    told = rules("activate", "--version", 99)
    assert told.exit_code == 1
    assert "Version 99 cannot be used by this program any more" in told.stderr
    assert "v99:" in told.stderr
    assert rules("activate", "--packaged").exit_code == 0
    assert rules("back").exit_code == 1


def test_compare_tells_what_differs_and_writes_nothing(rules: Rules, database: DatabaseAddresses) -> None:
    before = snapshot(database)
    told = rules("compare", rules.file(rules_naming(PRODUCT)))
    assert told.exit_code == 0, told.output
    assert re.match(r"In force:  \S+\nCandidate: \S+\+our_rules\.yaml-\S+\n", told.stderr)
    assert told.stderr.splitlines()[-1] == "5 of 5 receipts"
    lines = told.stdout.splitlines()
    assert "Messages with another intent: 3" in lines
    assert sum("→ purchase_intent" in line for line in lines) == 3
    assert sum(line.startswith("People decided about 3 leads of these: the candidate comes closer") for line in lines) == 1
    assert lines[-1].startswith("Judged 5 messages of 5 receipts by both in ")
    assert lines[-1].endswith(" s: 3 of them differently; nothing was written.")
    lanes = lines[lines.index("Messages in each lane") + 2 :][:3]
    columns = [line.split() for line in lanes]
    assert [column[0] for column in columns] == ["new_auto", "new_draft", "new_escalate"]
    assert [sum(int(column[side]) for column in columns) for side in (1, 2)] == [5, 5]
    assert all(sign.isprintable() or sign == "\n" for sign in told.output)
    assert "a" * 60 not in told.output
    assert snapshot(database) == before


def test_compare_is_with_what_is_in_force_and_the_most_telling_comes_first(rules: Rules, database: DatabaseAddresses) -> None:
    rules.added(PRODUCT)
    rules("activate", "--version", 1)
    before = snapshot(database)
    same = rules("compare", "--version", 1)
    assert "no difference; nothing was written." in same.stdout.splitlines()[-1]
    rules_of_before = rules("compare", "--packaged", "--limit", 1).stdout.splitlines()
    assert "Messages with another intent: 3" in rules_of_before
    (shown,) = [line for line in rules_of_before if "purchase_intent → " in line]
    assert PRODUCT in shown
    assert "… and 2 more; --limit shows more of them, --json all" in rules_of_before
    assert snapshot(database) == before


def test_compare_gives_all_of_it_as_json(rules: Rules) -> None:
    told = rules("compare", rules.file(rules_naming(PRODUCT)), "--json", "--limit", 0)
    *rows, summary = [json.loads(line) for line in told.stdout.splitlines()]
    assert {row["candidate"]["intent_label"] for row in rows} == {"purchase_intent"}
    told_of = [row["to_the_decision"] for row in rows]
    assert (told_of.count("closer"), told_of.count("farther")) == (summary["closer"], summary["farther"])
    counted = {name: summary[name] for name in ("kind", "receipts", "messages", "changed", "decided", "forms")}
    assert counted == {
        "kind": "summary",
        "receipts": 5,
        "messages": 5,
        "changed": 3,
        "decided": 3,
        "forms": 0,
    }
    assert sum(move["leads"] for move in summary["moves"]["intent"]) == 3
    assert sum(lane["candidate"] for lane in summary["lanes"].values()) == 5
    nothing = rules("compare", "--packaged", "--since", "0h").stdout
    assert "Judged 0 messages of 0 receipts by both" in nothing


@pytest.mark.parametrize("command", [["list"], ["show"], ["activate", "--packaged"], ["back"], ["compare", "--packaged"]])
def test_an_unknown_tenant_is_one_clear_sentence(command: list[str], rules: Rules) -> None:
    nobody = uuid4()
    told = rules(command[0], *command[1:], of=nobody)
    assert (told.exit_code, told.output) == (1, f"Error: There is no tenant {nobody}.\n")
    added = rules("add", rules.file(rules_naming(PRODUCT)), of=nobody)
    assert (added.exit_code, added.output) == (1, f"Error: There is no tenant {nobody}.\n")


def test_another_tenant_has_nothing_of_it(rules: Rules, database: DatabaseAddresses) -> None:
    rules.added(PRODUCT)
    other = fetch_now(database.owner, "SELECT id FROM tenants WHERE id NOT IN (SELECT tenant_id FROM rule_packs) LIMIT 1")[0]["id"]
    for command in (["show", "--version", 1], ["activate", "--version", 1], ["compare", "--version", 1]):
        told = rules(*map(str, command), of=other)
        assert (told.exit_code, "no version 1 of its own rules" in told.stderr) == (1, True), told.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["activate"], "Name one of --version and --packaged."),
        (["activate", "--version", "1", "--packaged"], "Name one of --version and --packaged."),
        (["activate", "--version", "0"], "0 is not in the range"),
        (["compare"], "Name one candidate"),
        (["compare", "--packaged", "--version", "1"], "Name one candidate"),
        (["compare", "--packaged", "--since", "gestern"], "is no moment"),
        (["add", "/nowhere/at/all.yaml"], "does not exist"),
        (["add", __file__, "--note", "hai\ndòng"], "printable characters"),
        (["add", __file__, "--note", "đ" * 501], "printable characters"),
    ],
)
def test_a_slip_of_the_pen_is_told(arguments: list[str], sentence: str, database: DatabaseAddresses, tmp_path: Path) -> None:
    told = Rules(database.app, uuid4(), tmp_path)(*arguments)
    assert told.exit_code == 2
    assert sentence in " ".join(told.stderr.split())


def test_a_database_that_is_away_is_one_sentence(tmp_path: Path) -> None:
    told = Rules("postgresql://nobody:mat-khau@127.0.0.1:1/x", uuid4(), tmp_path)("list")
    assert told.exit_code == 1
    assert told.output == "Error: PostgreSQL cannot be reached (ConnectionRefusedError): is DATABASE_URL right, and the server up?\n"
