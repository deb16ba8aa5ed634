"""`lead-signals keys`: a key is printed once and can be closed; no other line ever shows it."""

import asyncio
import re
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from lead_signals.cli import cli
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.settings import Settings
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from tests.intake.open_door import fetch_now

KEY_ID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.MULTILINE)


@pytest.fixture
def tenant_id(database: DatabaseAddresses) -> UUID:
    """A fresh tenant."""

    async def onboard() -> UUID:
        engine = app_engine(database.app, application_name="tests", pool_size=1)
        try:
            return (await onboard_tenant(engine, Onboarding(tenant_name="Xưởng May Hương Sen"))).tenant.id
        finally:
            await engine.dispose()

    return asyncio.run(onboard())


@pytest.fixture
def keys(database: DatabaseAddresses) -> "Keys":
    return Keys(database.app)


class Keys:
    """The command on one database."""

    def __init__(self, address: str) -> None:
        unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
        self._runner = CliRunner(env={**unset, "DATABASE_URL": address})

    def __call__(self, *arguments: object) -> Result:
        return self._runner.invoke(cli, ["keys", *map(str, arguments)])

    def made(self, tenant_id: UUID, name: str = "Cầu nối CRM") -> str:
        """A fresh key."""
        told = self("make", "--tenant", tenant_id, "--name", name)
        assert told.exit_code == 0, told.output
        return told.stdout.removesuffix("\n")


def test_make_prints_the_key_alone_on_stdout_and_what_to_do_with_it_on_stderr(keys: Keys, tenant_id: UUID) -> None:
    told = keys("make", "--tenant", tenant_id, "--name", "Cầu nối CRM")
    assert told.exit_code == 0
    assert re.fullmatch(rf"lsk_{tenant_id.hex}_[A-Za-z0-9_-]{{43}}\n", told.stdout)
    assert told.stderr == ("Keep it now: it is stored as a hash and cannot be shown again. Send it as 'Authorization: Bearer <key>'.\n")


def test_list_shows_when_and_what_for_and_never_the_key(keys: Keys, tenant_id: UUID) -> None:
    assert keys("list", "--tenant", tenant_id).stdout == "No key yet: lead-signals keys make --tenant … --name …\n"
    made = [keys.made(tenant_id, name) for name in ("Cầu nối CRM", "  Bảng tính của chị Ngân ")]
    told = keys("list", "--tenant", tenant_id)
    assert told.exit_code == 0
    newest, oldest = told.stdout.splitlines()
    assert re.fullmatch(rf"{KEY_ID.pattern[1:]}  20\d\d-\d\d-\d\d  open     Bảng tính của chị Ngân", newest)
    assert oldest.endswith("  open     Cầu nối CRM")
    assert not [key for key in made if key[-43:] in told.output]


def test_revoke_closes_it_by_the_id_that_the_list_shows(keys: Keys, tenant_id: UUID) -> None:
    keys.made(tenant_id)
    (key_id,) = KEY_ID.findall(keys("list", "--tenant", tenant_id).stdout)
    told = keys("revoke", "--tenant", tenant_id, key_id)
    assert (told.exit_code, told.output) == (0, "Revoked.\n")
    assert "  revoked  " in keys("list", "--tenant", tenant_id).stdout
    again = keys("revoke", "--tenant", tenant_id, key_id)
    assert (again.exit_code, again.output) == (1, f"Error: This tenant has no open key {key_id}; see lead-signals keys list.\n")


def test_each_act_is_on_record_without_the_key(keys: Keys, tenant_id: UUID, database: DatabaseAddresses) -> None:
    key = keys.made(tenant_id)
    (key_id,) = KEY_ID.findall(keys("list", "--tenant", tenant_id).stdout)
    keys("revoke", "--tenant", tenant_id, key_id)
    keys("revoke", "--tenant", tenant_id, key_id)
    events = fetch_now(
        database.owner,
        "SELECT event_type, actor, entity_type, entity_id::text, to_jsonb(a)::text AS everything FROM audit_events a"
        " WHERE tenant_id = $1 ORDER BY id",
        tenant_id,
    )
    assert [tuple(event)[:4] for event in events] == [
        ("API_KEY_MADE", "OPERATOR", "api_key", key_id),
        ("API_KEY_REVOKED", "OPERATOR", "api_key", key_id),
    ]
    assert key[-43:] not in str(events)


@pytest.mark.parametrize("command", [["make", "--name", "x"], ["list"], ["revoke", str(uuid4())]], ids=lambda command: command[0])
def test_an_unknown_tenant_is_one_clear_sentence(command: list[str], keys: Keys, database: DatabaseAddresses) -> None:
    nobody = uuid4()
    told = keys(command[0], "--tenant", nobody, *command[1:])
    assert (told.exit_code, told.output) == (1, f"Error: There is no tenant {nobody}.\n")
    assert fetch_now(database.owner, "SELECT count(*) FROM tenant_api_keys WHERE tenant_id = $1", nobody)[0]["count"] == 0


def test_the_key_of_another_tenant_is_not_found(keys: Keys, tenant_id: UUID, database: DatabaseAddresses) -> None:
    keys.made(tenant_id)
    (key_id,) = KEY_ID.findall(keys("list", "--tenant", tenant_id).stdout)
    (other,) = fetch_now(database.owner, "SELECT id FROM tenants WHERE id <> $1 LIMIT 1", tenant_id)
    assert keys("revoke", "--tenant", other["id"], key_id).exit_code == 1
    assert "  open     " in keys("list", "--tenant", tenant_id).stdout


@pytest.mark.parametrize("name", ["", "   ", "đ" * 201, "hai\ndòng", "\x1b[2J", "\udcff", "\u202eoán"], ids=ascii)
def test_a_name_that_nobody_could_read_in_a_list_is_refused(name: str, keys: Keys, tenant_id: UUID) -> None:
    told = keys("make", "--tenant", tenant_id, "--name", name)
    assert told.exit_code == 2
    assert "Invalid value for '--name': expected 1 to 200 printable characters." in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["make", "--name", "x"], ["make", "--tenant", "1", "--name", "x"], ["revoke", "--tenant", str(uuid4()), "1"], ["mak"]]
)
def test_a_slip_of_the_pen_is_told(arguments: list[str], keys: Keys) -> None:
    told = keys(*arguments)
    assert told.exit_code == 2
    assert "Error: " in told.output


def test_a_database_that_is_away_is_one_sentence() -> None:
    told = Keys("postgresql://nobody:mat-khau@127.0.0.1:1/x")("list", "--tenant", uuid4())
    assert told.exit_code == 1
    assert told.output == "Error: PostgreSQL cannot be reached (ConnectionRefusedError): is DATABASE_URL right, and the server up?\n"
