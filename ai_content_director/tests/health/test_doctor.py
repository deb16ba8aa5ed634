"""`lead-signals doctor`: what is configured, what is missing, what is unhealthy, and an exit status that says whether to act."""

import asyncio
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func

from lead_signals.cli import cli
from lead_signals.connections.channel_health import ChannelHealth, ChannelTrouble
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.engine import app_engine
from lead_signals.database.heartbeat import beat
from lead_signals.database.migrate import newest_revision
from lead_signals.database.new_id import new_id
from lead_signals.enrichment.waiting_look_ups import WaitingLookUps
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, PauseReason
from lead_signals.followups.endpoints.endpoint_troubles import EndpointTrouble
from lead_signals.followups.endpoints.operators_pause import pause_operators_endpoint
from lead_signals.followups.follow_up import FollowUpState
from lead_signals.followups.oversight.follow_up_numbers import OWED_STATES, FollowUpNumbers, LastHour
from lead_signals.health.doctor import PAGES_TOLD, _channel_lines, _look_up_lines, _unknown_channel_line
from lead_signals.health.follow_up_lines import ENDPOINTS_TOLD, endpoint_lines, follow_up_lines
from lead_signals.health.readiness import Check, Readiness
from lead_signals.intake.unrouted_delivery import UnknownChannel
from lead_signals.leads.look_up import LookUpKind
from lead_signals.settings import Settings, read_settings
from lead_signals.tenancy.channel import connect_channel
from lead_signals.tenancy.onboard_tenant import Onboarding, onboard_tenant
from lead_signals.tenancy.tenant_session import tenant_session
from tests.deliveries import ONBOARDING, comment
from tests.followups.oversight.overseen import attempted, bring_to, endpoint_of, owed
from tests.intake.open_door import WEBHOOK, execute, open_door
from tests.intake.page_deliveries import SECRET, delivery, page_entry, signed

MARKERS = {
    "DATABASE_OWNER_URL": "postgresql://x:dau-vet-owner@h/d",
    "WEBHOOK_URL": "https://n8n.example/webhook/dau-vet-webhook",
    "WEBHOOK_SIGNING_SECRET": "whsec_ZGF1LXZldC1zaWduaW5nLXNlY3JldC0yNA==",
    "OPENAI_API_KEY": "dau-vet-openai",
    "FACEBOOK_APP_SECRET": "dau-vet-app-secret",
    "FACEBOOK_VERIFY_TOKEN": "dau-vet-verify",
    "OPERATOR_API_KEY": "dau-vet-operator",
}


@pytest.fixture
def beating(fresh_database: DatabaseAddresses) -> DatabaseAddresses:
    """A database whose worker beat just now."""

    async def beat_once() -> None:
        engine = app_engine(fresh_database.app, application_name="tests", pool_size=1)
        async with engine.begin() as connection:
            await beat(connection, new_id())
        await engine.dispose()

    asyncio.run(beat_once())
    return fresh_database


def doctor(**environment: str) -> Result:
    unset = {f"{field.upper()}{suffix}": None for field in Settings.model_fields for suffix in ("", "_FILE")}
    return CliRunner(env={**unset, **environment}).invoke(cli, ["doctor"])


def test_all_is_well(beating: DatabaseAddresses) -> None:
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert lines[0] == "Settings of this terminal"
    for field in Settings.model_fields:
        assert sum(line.startswith(f"  · {field.upper()} = ") for line in lines) == 1
    assert "  · FACEBOOK_APP_SECRET = set" in lines
    assert "  · database: the server in DATABASE_URL" in lines
    for line in (
        "  ✓ database: reachable",
        f"  ✓ migrations: at {newest_revision()}",
        "  ✓ worker: 1 beating",
        "  · follow-ups owed or dead: none",
    ):
        assert line in lines
    assert "✗" not in told.output


def test_no_secret_is_shown(beating: DatabaseAddresses) -> None:
    for environment in ({}, {"LOG_LEVEL": "loud"}, {"APP_ENV": "production", "OPERATOR_API_KEY": ""}):
        told = doctor(DATABASE_URL=beating.app, **{**MARKERS, **environment}).output
        assert "dau-vet" not in told
        assert "ZGF1" not in told
        assert beating.app not in told


def test_no_worker(fresh_database: DatabaseAddresses) -> None:
    told = doctor(DATABASE_URL=fresh_database.app, **MARKERS)
    assert told.exit_code == 1
    (line,) = [line for line in told.output.splitlines() if "✗" in line]
    assert line == "  ✗ worker: no worker beats (never seen): start one with lead-signals worker; follow-ups wait until then"


def test_an_unknown_page_is_named_with_how_often_it_wrote(beating: DatabaseAddresses) -> None:
    async def write_three_times() -> None:
        async with open_door(beating.app, FACEBOOK_APP_SECRET=SECRET) as client:
            for number in range(3):
                raw = delivery(page_entry("719333", (f"c{number}", "x")))
                assert (await client.post(WEBHOOK, content=raw, headers=signed(raw))).status_code == 200

    asyncio.run(write_three_times())
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert told.exit_code == 1
    kept = "writes to us and belongs to no tenant: 3 deliveries kept; lead-signals channels connect"
    assert f"  ✗ Page 719333 (facebook) {kept}" in told.output.splitlines()

    async def connect() -> None:
        engine = app_engine(beating.app, application_name="tests", pool_size=1)
        tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Xưởng in Phú Sĩ"))).tenant.id
        async with tenant_session(engine, tenant_id) as session:
            await connect_channel(session, tenant_id, platform="facebook", external_id="719333")
        await engine.dispose()

    asyncio.run(connect())
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert (told.exit_code, "719333" in told.output) == (0, False)
    assert (
        "  · 3 deliveries from before their Page was connected are kept: a running worker makes leads of them" in told.output.splitlines()
    )


def test_one_of_a_kind_is_told_as_one() -> None:
    at, fine = datetime(2026, 11, 23, tzinfo=UTC), Check(ok=True, sentence="fine")
    for count, told in (
        (
            1,
            (
                "1 follow-up is dead",
                "1 follow-up waits for WEBHOOK_URL",
                "1 endpoint is paused",
                "1 more such endpoint:",
                "1 delivery kept",
                "1 lead form waits",
                "1 sender name waits",
                "1 more such channel",
            ),
        ),
        (
            2,
            (
                "2 follow-ups are dead",
                "2 follow-ups wait for WEBHOOK_URL",
                "2 endpoints are paused",
                "2 more such endpoints:",
                "2 deliveries kept",
                "2 lead forms wait",
                "2 sender names wait",
                "2 more such channels",
            ),
        ),
    ):
        by_state = {state.value: 0 for state in OWED_STATES} | {"dead": count}
        numbers = FollowUpNumbers(by_state, for_webhook_url=count, endpoints_paused=count)
        gone = EndpointTrouble(None, None, UUID(int=0), "webhook", "WEBHOOK_URL", "It is gone.")
        trouble = ChannelTrouble(UUID(int=1), "Hoa Sen", UUID(int=2), "facebook", "7", None, "Look.")
        seen = Readiness(
            "ready",
            fine,
            fine,
            fine,
            fine,
            fine,
            follow_ups=numbers,
            unknown_channels=(UnknownChannel("zalo", "77", count, at),),
            channel_troubles=ChannelHealth(quiet=(trouble,) * (PAGES_TOLD + count)),
            waiting_look_ups=tuple(WaitingLookUps(kind, None, count, at) for kind in LookUpKind),
        )
        lines = [
            *follow_up_lines(read_settings({}), numbers),
            *endpoint_lines([gone] * (ENDPOINTS_TOLD + count)),
            *_channel_lines(seen),
            *_look_up_lines(seen),
            _unknown_channel_line(seen.unknown_channels[0]),
        ]
        for words in told:
            assert sum(f"{words}" in line for line in lines) == 1, (words, lines)


def test_a_hostile_page_id_does_not_take_the_terminal_over(beating: DatabaseAddresses) -> None:
    async def write() -> None:
        async with open_door(beating.app, FACEBOOK_APP_SECRET=SECRET) as client:
            raw = delivery(page_entry("1\x1b[2J\n  ✓ all is well\u202e", ("c1", "x")))
            assert (await client.post(WEBHOOK, content=raw, headers=signed(raw))).status_code == 200

    asyncio.run(write())
    told = doctor(DATABASE_URL=beating.app, **MARKERS).output
    (line,) = [line for line in told.splitlines() if "Page" in line]
    assert line.startswith(r"  ✗ Page 1\x1b[2J\n  \u2713 all is well\u202e (facebook)")


def test_dead_and_waiting_follow_ups(beating: DatabaseAddresses) -> None:
    async def owe_two() -> None:
        async with open_door(beating.app, WEBHOOK_URL="https://n8n.example/webhook") as client:
            tenant_id = (await client.post("/onboarding", json=ONBOARDING)).json()["tenant"]["id"]
            for number in range(2):
                await client.post(WEBHOOK, json=comment(f"c{number}"), headers={"X-Tenant-ID": tenant_id})

    asyncio.run(owe_two())
    assert doctor(DATABASE_URL=beating.app, **MARKERS).exit_code == 0
    unheard = doctor(DATABASE_URL=beating.app)
    assert unheard.exit_code == 1
    assert "  ✗ 2 follow-ups wait for WEBHOOK_URL, and it is empty: nobody will receive them" in unheard.output.splitlines()

    asyncio.run(execute(beating.owner, "UPDATE follow_ups SET state = 'dead', finished_at = now()"))
    dead = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert dead.exit_code == 1
    assert "  · follow-ups owed or dead: 2 dead" in dead.output.splitlines()
    assert "  · follow-ups of the last hour: 2 promised, 0 delivered; 2 failing; 2 died" in dead.output.splitlines()
    (line,) = [line for line in dead.output.splitlines() if "follow-ups are dead" in line]
    for command in re.findall("lead-signals (followups (?:list --state dead|redrive --all))", line):
        asked = CliRunner(env={"DATABASE_URL": beating.app}).invoke(
            cli, [*command.split(), *(["--dry-run"] if "redrive" in command else [])]
        )
        assert asked.exit_code == 0, asked.output
    assert line.count("lead-signals followups") == 2


def test_the_last_hour_in_one_line() -> None:
    hour = LastHour(promised=1300, delivered=1290, failing=7, died=2, delivered_p95_seconds=0.84, receipts_accepted=1200, receipts_done=3)
    (_, line) = follow_up_lines(read_settings({}), FollowUpNumbers({state.value: 0 for state in OWED_STATES}, last_hour=hour))
    assert line == (
        "  · follow-ups of the last hour: 1,300 promised, 1,290 delivered; 19 of 20 within 0.8 s; 7 failing; 2 died;"
        " receipts: 1,200 accepted, 3 done"
    )


def test_an_endpoint_that_needs_a_hand_is_told_with_what_is_the_matter(beating: DatabaseAddresses) -> None:
    async def three_endpoints() -> None:
        engine = app_engine(beating.app, application_name="tests", pool_size=1)
        tenant_id = (await onboard_tenant(engine, Onboarding(tenant_name="Gỗ\x1b[2J Đông Á"))).tenant.id
        await endpoint_of(engine, tenant_id, "CRM\x1b[2J\n  ✓ all is well", paused_at=func.now(), pause_reason="gone")
        await endpoint_of(engine, tenant_id, "Nghỉ Tết", paused_at=func.now(), pause_reason="by_operator")
        await endpoint_of(engine, tenant_id, "Đã gỡ", sealed_address=None, removed_at=func.now())
        await engine.dispose()

    asyncio.run(three_endpoints())
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert told.exit_code == 1
    troubles = [line for line in told.output.splitlines() if "endpoint CRM" in line]
    assert len(troubles) == 1
    assert troubles[0].startswith(
        "  ✗ endpoint CRM\N{REPLACEMENT CHARACTER}[2J   ✓ all is well (slack) of Gỗ\N{REPLACEMENT CHARACTER}[2J Đông Á: "
    )
    (paused,) = [line for line in told.output.splitlines() if "paused by a person" in line]
    assert paused.startswith("  · 1 endpoint is paused by a person")
    assert "Đã gỡ" not in told.output


def test_an_endpoint_that_takes_nothing_is_told_with_since_when_why_and_what_waits(beating: DatabaseAddresses) -> None:
    async def fail_for_an_hour() -> None:
        engine = app_engine(beating.app, application_name="tests", pool_size=1)
        tenant_id, ids = await owed(engine, beating.owner, 3)
        crm = await endpoint_of(engine, tenant_id, "Kho CRM", kind="webhook", sealed_secret=b"\1")
        began = datetime(2026, 11, 20, 3, 12, 40, tzinfo=UTC)
        for endpoint_id, follow_up_id in ((OPERATORS_ENDPOINT, ids[0]), (crm, ids[1]), (crm, ids[2])):
            failed = {"failures": 5, "begun_at": began, "created_at": func.now(), "endpoint_id": endpoint_id}
            await bring_to(engine, tenant_id, follow_up_id, FollowUpState.RETRYING, **failed)
            await attempted(engine, tenant_id, follow_up_id, 1, began, error_class="ConnectionRefused")
        await engine.dispose()

    asyncio.run(fail_for_an_hour())
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert told.exit_code == 1
    assert [line for line in told.output.splitlines() if line.startswith("  ✗ endpoint WEBHOOK_URL")] == [
        "  ✗ endpoint WEBHOOK_URL (webhook): It has failed since 2026-11-20 03:12 UTC, last by ConnectionRefused; 1 follow-up waits;"
        " nothing delivered in the last four days."
    ]


def test_webhook_url_that_a_person_paused_is_told_once(beating: DatabaseAddresses) -> None:
    async def pause() -> None:
        engine = app_engine(beating.app, application_name="tests", pool_size=1)
        async with engine.begin() as connection:
            await pause_operators_endpoint(connection, MARKERS["WEBHOOK_URL"], PauseReason.BY_OPERATOR)
        await engine.dispose()

    asyncio.run(pause())
    told = doctor(DATABASE_URL=beating.app, **MARKERS)
    assert told.exit_code == 1
    (line,) = [line for line in told.output.splitlines() if "paused" in line]
    assert line.startswith("  ✗ endpoint WEBHOOK_URL (webhook): A person paused it: ")
    assert "lead-signals followups endpoints resume WEBHOOK_URL" in line


def test_what_is_missing_is_said(beating: DatabaseAddresses) -> None:
    told = doctor(DATABASE_URL=beating.app, N8N_WEBHOOK_TIMEOUT_SECONDS="60", LEAD_CLASSIFY_USE_LLM="true").output
    assert "  ! N8N_WEBHOOK_TIMEOUT_SECONDS is clamped to 10" in told
    assert "  ! WEBHOOK_URL is empty: processes with this environment send no urgent lead to n8n" in told
    needed = "FACEBOOK_APP_SECRET, FACEBOOK_VERIFY_TOKEN, OPERATOR_API_KEY, OPENAI_API_KEY, OPENAI_MODEL"
    assert f"  ! before APP_ENV=production: {needed}" in told
    unsigned = doctor(DATABASE_URL=beating.app, WEBHOOK_URL="https://n8n.example/webhook").output
    assert "WEBHOOK_SIGNING_SECRET is empty" in unsigned


def test_a_bad_signing_secret_or_host_is_told_before_anything_starts() -> None:
    told = doctor(WEBHOOK_SIGNING_SECRET="abc", WEBHOOK_ALLOWED_HOSTS="n8n, http://user:dau-vet@crm")
    assert told.exit_code == 1
    assert [line.split()[1] for line in told.output.splitlines()[1:]] == ["WEBHOOK_SIGNING_SECRET:", "WEBHOOK_ALLOWED_HOSTS:"]
    assert "dau-vet" not in told.output
    started = CliRunner(env={"WEBHOOK_ALLOWED_HOSTS": "http://crm"}).invoke(cli, ["serve", "--port", "1"])
    assert (started.exit_code, "WEBHOOK_ALLOWED_HOSTS: entry 1 is no host" in started.output) == (1, True)


def test_settings_that_cannot_be_read_are_listed_and_nothing_else_is_asked() -> None:
    told = doctor(APP_ENV="production", LOG_LEVEL="loud", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert told.exit_code == 1
    assert told.output.splitlines()[0] == "Settings of this terminal"
    assert [line.split()[1] for line in told.output.splitlines()[1:]] == [
        "LOG_LEVEL:",
        "FACEBOOK_APP_SECRET:",
        "FACEBOOK_VERIFY_TOKEN:",
        "OPERATOR_API_KEY:",
    ]


UNREACHABLE = {
    "a closed port": ("postgresql://u:dau-vet@127.0.0.1:1/d", "ConnectionRefusedError"),
    "an unknown host": ("postgresql://u:dau-vet@database.invalid/d", "gaierror"),
    "no socket": ("postgresql://u@/d?host=/nonexistent", "FileNotFoundError"),
}


@pytest.mark.parametrize("what", UNREACHABLE)
def test_an_unreachable_database_is_one_sentence(what: str) -> None:
    address, cause = UNREACHABLE[what]
    told = doctor(DATABASE_URL=address)
    assert told.exit_code == 1
    assert "Traceback" not in told.output
    assert "dau-vet" not in told.output
    (line,) = [line for line in told.output.splitlines() if line.startswith("  ✗ database: ")]
    assert line == f"  ✗ database: PostgreSQL cannot be used ({cause}): is it up, is DATABASE_URL right, did alembic upgrade head run once?"


@pytest.mark.parametrize("address", ["mysql://u:dau-vet@h/d", "dau-vet", "postgresql://u:dau-vet@h:port/d", "sqlite:///dau-vet.db"])
def test_an_address_that_is_none_is_one_sentence(address: str) -> None:
    told = doctor(DATABASE_URL=address)
    assert told.exit_code == 1
    assert told.output.startswith("Error: DATABASE_URL ")
    assert len(told.output.splitlines()) == 1
    assert "dau-vet" not in told.output


def test_a_database_that_was_never_migrated_says_what_to_run(beating: DatabaseAddresses) -> None:
    asyncio.run(execute(beating.owner, "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"))
    told = doctor(DATABASE_URL=beating.app)
    assert (told.exit_code, "Traceback" in told.output) == (1, False)
    assert "  ✗ migrations: at nothing" in told.output
    assert "alembic upgrade head" in told.output
