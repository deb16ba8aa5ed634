"""`lead-signals doctor`: what is configured, what is missing, what is unhealthy, in lines for a person at a terminal."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from lead_signals.connections.channel_health import ChannelTrouble
from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.embedded_database import database_of, default_data_directory
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import newest_revision
from lead_signals.followups.endpoints.endpoint_troubles import EndpointTrouble, endpoint_troubles
from lead_signals.health.follow_up_lines import endpoint_lines, follow_up_lines
from lead_signals.health.language_model_lines import language_model_advice, language_model_lines
from lead_signals.health.readiness import Check, Readiness, readiness
from lead_signals.intake.unrouted_delivery import UnknownChannel
from lead_signals.leads.look_up import LookUpKind
from lead_signals.printable import printable
from lead_signals.rule_packs.active_packs import ActivePacks
from lead_signals.second_opinion.opinion_health import OpinionHealth, opinion_health
from lead_signals.settings import ConfigurationError, Settings, missing_secrets, read_settings
from lead_signals.tenancy.tenant_session import across_tenants_session

NEEDS_A_HAND = "  ✗ "
PAGES_TOLD = 20
SETTINGS_HEAD = "Settings of this terminal"  # those of a running server may be others


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What to print, and whether nothing needs a hand."""

    lines: list[str]
    well: bool


def examine(data_directory: Path | None = None) -> Diagnosis:
    """Read the settings, look into the database, and say how things are. Secrets are told as "set", never shown."""
    try:
        settings = read_settings()
    except ConfigurationError as error:
        return Diagnosis([SETTINGS_HEAD, *(f"{NEEDS_A_HAND}{line}" for line in str(error).splitlines())], well=False)
    lines = [
        "Settings of this terminal",
        *(_setting_line(settings, name) for name in Settings.model_fields),
        *_advice(settings),
        "",
        "Health",
    ]
    with database_of(settings, data_directory, must_exist=True) as addresses:
        lines.append(f"  · database: {_place(settings, data_directory)}")
        looked = asyncio.run(_look(settings, addresses))
    seen = looked.readiness
    lines += [_check_line("database", seen.database), _check_line("migrations", seen.migrations), _check_line("worker", seen.worker)]
    lines += [] if seen.follow_ups is None else follow_up_lines(settings, seen.follow_ups)
    lines += endpoint_lines(looked.endpoint_troubles)
    lines += [_unknown_channel_line(channel) for channel in seen.unknown_channels[:PAGES_TOLD]]
    if len(seen.unknown_channels) > PAGES_TOLD:
        lines.append(f"{NEEDS_A_HAND}… and {_many(len(seen.unknown_channels) - PAGES_TOLD, 'more such Page', 'more such Pages')}")
    lines += _channel_lines(seen)
    lines += _look_up_lines(seen)
    lines += _own_rules_lines(looked.own_rules)
    lines += [] if looked.opinions is None else language_model_lines(settings, looked.opinions)
    if seen.kept_for_connected:
        many, are = _many(seen.kept_for_connected, "delivery", "deliveries"), "is" if seen.kept_for_connected == 1 else "are"
        lines.append(f"  · {many} from before their Page was connected {are} kept: a running worker makes leads of them")
    return Diagnosis(lines, well=not any(line.startswith(NEEDS_A_HAND) for line in lines))


@dataclass(frozen=True, slots=True)
class _Looked:
    """What was found in the database; without the newest migration only how far it is."""

    readiness: Readiness
    own_rules: ActivePacks
    endpoint_troubles: Sequence[EndpointTrouble] = ()
    opinions: OpinionHealth | None = None


async def _look(settings: Settings, addresses: DatabaseAddresses) -> _Looked:
    production = settings.app_env == "production"
    engine = app_engine(addresses.app, application_name="lead-signals doctor", pool_size=1, production=production)
    try:
        seen, packs = await readiness(engine, settings, newest_revision=newest_revision(), thorough=True), ActivePacks(engine)
        if not seen.migrations.ok:
            return _Looked(seen, packs)
        await packs.loaded()
        async with across_tenants_session(engine) as everywhere:
            troubles = await endpoint_troubles(everywhere, settings)
        if not settings.asks_language_model:
            return _Looked(seen, packs, troubles)
        return _Looked(seen, packs, troubles, await opinion_health(engine, most_calls=settings.lead_classify_llm_daily_calls))
    finally:
        await engine.dispose()


def _setting_line(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    told = "not set" if value is None else "set" if isinstance(value, SecretStr) else value
    return f"  · {name.upper()} = {told}"


def _advice(settings: Settings) -> list[str]:
    advice = []
    if settings.follow_up_timeout_seconds != settings.n8n_webhook_timeout_seconds:
        advice.append(f"  ! N8N_WEBHOOK_TIMEOUT_SECONDS is clamped to {settings.follow_up_timeout_seconds:g}")
    if settings.webhook_url is None:
        advice.append("  ! WEBHOOK_URL is empty: processes with this environment send no urgent lead to n8n")
    elif settings.webhook_signing_secret is None:
        advice.append("  ! WEBHOOK_SIGNING_SECRET is empty: the receiver cannot tell our follow-ups from forged ones")
    advice += language_model_advice(settings)
    missing = missing_secrets(settings)
    if settings.app_env == "local" and missing:
        advice.append(f"  ! before APP_ENV=production: {', '.join(missing)}")
    return advice


def _place(settings: Settings, data_directory: Path | None) -> str:
    if settings.database_url is not None:
        return "the server in DATABASE_URL"
    return f"embedded, in {data_directory or default_data_directory()}"


def _check_line(name: str, check: Check) -> str:
    return f"{'  ✓ ' if check.ok else NEEDS_A_HAND}{name}: {check.sentence}"


def _channel_lines(seen: Readiness) -> list[str]:
    troubles = (*seen.channel_troubles.quiet, *seen.channel_troubles.needing_a_hand)
    lines = [_channel_line(trouble) for trouble in troubles[:PAGES_TOLD]]
    if len(troubles) > PAGES_TOLD:
        lines.append(f"{NEEDS_A_HAND}… and {_many(len(troubles) - PAGES_TOLD, 'more such channel', 'more such channels')}")
    return lines


def _channel_line(trouble: ChannelTrouble) -> str:
    name = printable(trouble.name or trouble.external_id)
    return f"{NEEDS_A_HAND}channel {name} ({trouble.platform}) of {printable(trouble.tenant_name)}: {printable(trouble.sentence)}"


def _look_up_lines(seen: Readiness) -> list[str]:
    """What waits for the platform's answer; only a form that waits for somebody needs a hand, names may wait for ever."""
    lines = []
    for waiting in seen.waiting_look_ups:
        what = "lead form" if waiting.kind is LookUpKind.LEAD_FORM else "sender name"
        told = _many(waiting.count, f"{what} waits", f"{what}s wait")
        because = "" if waiting.last_failure is None else f" ({waiting.last_failure.replace('_', ' ')})"
        mark = NEEDS_A_HAND if waiting.kind is LookUpKind.LEAD_FORM and waiting.last_failure is not None else "  · "
        lines.append(f"{mark}{told} to be asked of the platform{because}")
    return lines


def _own_rules_lines(packs: ActivePacks) -> list[str]:
    """A tenant whose rules are in force and cannot be used, with the first mistake; what they are was written by the tenant."""
    return [
        f"{NEEDS_A_HAND}the own rules of tenant {tenant_id} (version {found.version}) cannot be used, the packaged ones judge meanwhile:"
        f" {found.problems[0]}"
        for tenant_id, found in [*packs.unusable.items()][:PAGES_TOLD]
    ]


def _unknown_channel_line(channel: UnknownChannel) -> str:
    page = ascii(channel.external_id)[1:-1]  # a stranger chose it: on a terminal it must not end a line or start an escape sequence
    kept = f"{_many(channel.deliveries, 'delivery', 'deliveries')} kept"
    return f"{NEEDS_A_HAND}Page {page} ({channel.platform}) writes to us and belongs to no tenant: {kept}; lead-signals channels connect"


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"
