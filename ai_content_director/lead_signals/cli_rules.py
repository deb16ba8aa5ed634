"""`lead-signals rules`: the rules by which texts are read, the packaged ones and a tenant's own."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import click

from lead_signals import clock
from lead_signals.cli_database import at_the_database
from lead_signals.intake.moment_option import Moment
from lead_signals.intake.replay_progress import ReplayProgress
from lead_signals.mendable_errors import usable_rules

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.intake.shown_comparison import ShownComparison
    from lead_signals.intent.pack.rule_pack import RulePack
    from lead_signals.rule_packs.turn_pack import Turned
    from lead_signals.settings import Settings
    from lead_signals.tenancy.tenant_session import TenantSession

Done = TypeVar("Done")

LONGEST_NOTE_CHARACTERS = 500
MOST_WARNINGS = 20
MOST_BYTES_READ = 2 * 1024 * 1024  # twice of what the rules of a tenant may have


@click.group()
def rules() -> None:
    """Rules that read texts: check them, give a tenant its own, turn them on and back."""


@rules.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[FOLDER or FILE ...]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
def lint(paths: tuple[Path, ...], as_json: bool) -> None:
    """Look at wordings beyond their sentences: which can never speak, hide behind others, contradict or run away.

    \b
    The packaged rules:        lead-signals rules lint
    A tenant's own rules:      lead-signals rules lint my_rules.yaml
    Languages of your own:     lead-signals rules lint my_language/

    Exit status 1 with errors (dead, conflicting, runs_away) and for rules that cannot be read, 0 with hints only.
    """
    from lead_signals.intent.lint.lint_paths import lint_paths
    from lead_signals.intent.lint.render_findings import findings_json, render_findings

    with usable_rules():
        findings = lint_paths(paths)
    for line in [findings_json(findings)] if as_json else render_findings(findings):
        click.echo(line)
    sys.exit(1 if any(one.is_error for one in findings) else 0)


TENANT = click.option("--tenant", "tenant_id", type=click.UUID, required=True, help="Whose rules they are.")
VERSION = click.option("--version", type=click.IntRange(min=1), help="A stored version; lead-signals rules list shows them.")
PACKAGED = click.option("--packaged", is_flag=True, help="The packaged rules alone.")
DATA_DIRECTORY = click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The embedded PostgreSQL of a running `serve`."
)
RULES_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def _readable_note(_: click.Context, __: click.Parameter, note: str) -> str:
    """The note without blanks around it, when a person can read it in a list."""
    if len(note) > LONGEST_NOTE_CHARACTERS or not (note.isprintable() or not note):
        raise click.BadParameter(f"expected at most {LONGEST_NOTE_CHARACTERS} printable characters.")
    return note.strip()


@rules.command("add")
@TENANT
@click.argument("file", type=RULES_FILE)
@click.option("--note", default="", callback=_readable_note, help="What changed, for the list.")
@DATA_DIRECTORY
def add(tenant_id: UUID, file: Path, note: str, data_dir: Path | None) -> None:
    """Store FILE as the next version of a tenant's own rules. Nothing judges by it before it is activated.

    A file with a mistake, whose wordings run away or whose rules do not find their own sentences, is refused with a line for each.
    Sentences of packaged rules that it reads differently, and wordings that are dead or conflicting, are told as warnings.
    """
    from lead_signals.intent.lint.lint_rules import lint_rules
    from lead_signals.intent.own_rules.tenant_rules import changed_packaged_sentences
    from lead_signals.rule_packs.add_pack import AddedPack, add_pack

    content = _content_of(file)
    pack = _compiled(content, file.name)
    _warn([str(sentence) for sentence in changed_packaged_sentences(pack)], "packaged sentences are read differently")
    doubtful = [one for one in lint_rules(pack, lambda rule: rule.name in pack.own_rules) if one.is_error]
    _warn(
        [f"{one.place}: {one.kind}: rule {one.rule!r}: {one.pattern!r}: {one.advice}" for one in doubtful],
        "wordings are dead or conflicting: see lead-signals rules lint",
    )

    async def do(engine: "AsyncEngine", session: "TenantSession") -> AddedPack:
        return await add_pack(session, tenant_id, content, note)

    added = _in_tenant(tenant_id, data_dir, do)
    if not added.is_new:
        click.echo(f"Version {added.version} holds exactly these rules already; nothing was added.")
        return
    click.echo(f"Version {added.version} is stored, and judges nothing yet.")
    click.echo(f"Next: lead-signals rules compare --tenant {tenant_id} --version {added.version}", err=True)


def _warn(warnings: Sequence[str], of_what: str) -> None:
    from lead_signals.printable import printable

    for warning in warnings[:MOST_WARNINGS]:
        click.echo(f"Warning: {printable(warning)}", err=True)
    if len(warnings) > MOST_WARNINGS:
        click.echo(f"Warning: … and {len(warnings) - MOST_WARNINGS:,} more {of_what}.", err=True)


@rules.command("list")
@TENANT
@DATA_DIRECTORY
def list_(tenant_id: UUID, data_dir: Path | None) -> None:
    """Show the versions of a tenant's own rules, and which one is in force."""
    from lead_signals.printable import printable
    from lead_signals.rule_packs.pack_turn import version_in_force
    from lead_signals.rule_packs.stored_pack import list_packs

    async def do(engine: "AsyncEngine", session: "TenantSession") -> list[str]:
        active = await version_in_force(session, tenant_id)
        return [
            f"{pack.version:>4}  {pack.created_at:%Y-%m-%d %H:%M} UTC  {'active' if pack.version == active else '      '}"
            f"  {pack.size_bytes:>9,} bytes  {printable(pack.note)}".rstrip()
            for pack in await list_packs(session, tenant_id)
        ] + ([] if active is not None else ["The packaged rules alone are in force."])

    for line in _in_tenant(tenant_id, data_dir, do):
        click.echo(line)


@rules.command("show")
@TENANT
@VERSION
@DATA_DIRECTORY
def show(tenant_id: UUID, version: int | None, data_dir: Path | None) -> None:
    """Print the YAML of a version; of the one in force, if --version is left out."""
    from lead_signals.rule_packs.pack_turn import version_in_force
    from lead_signals.rule_packs.stored_pack import find_pack

    async def do(engine: "AsyncEngine", session: "TenantSession") -> str:
        wanted = version or await version_in_force(session, tenant_id)
        if wanted is None:
            raise click.ClickException("This tenant has no rules of its own in force; --version names one that is stored.")
        stored = await find_pack(session, tenant_id, wanted)
        if stored is None:
            raise _no_version(wanted)
        return stored.content

    click.echo(_in_tenant(tenant_id, data_dir, do), nl=False)


@rules.command("activate")
@TENANT
@VERSION
@PACKAGED
@DATA_DIRECTORY
def activate(tenant_id: UUID, version: int | None, packaged: bool, data_dir: Path | None) -> None:
    """Let a version judge what comes from now on. Every process notices within some seconds; leads that are there stay as they are."""
    from lead_signals.rule_packs.turn_pack import Turned, TurnRefused, turn_to

    if packaged == (version is not None):
        raise click.UsageError("Name one of --version and --packaged.")

    async def do(engine: "AsyncEngine", session: "TenantSession") -> Turned:
        try:
            return await turn_to(session, tenant_id, version)
        except TurnRefused as refused:
            raise click.ClickException(str(refused)) from None

    _tell_turned(_in_tenant(tenant_id, data_dir, do))


@rules.command("back")
@TENANT
@DATA_DIRECTORY
def back(tenant_id: UUID, data_dir: Path | None) -> None:
    """Let judge what judged before the last turn. Twice is there and back again."""
    from lead_signals.rule_packs.turn_pack import Turned, TurnRefused, turn_back

    async def do(engine: "AsyncEngine", session: "TenantSession") -> Turned:
        try:
            return await turn_back(session, tenant_id)
        except TurnRefused as refused:
            raise click.ClickException(str(refused)) from None

    _tell_turned(_in_tenant(tenant_id, data_dir, do))


def _tell_turned(turned: "Turned") -> None:
    if turned.version == turned.before:
        click.echo(f"In force already: {_called(turned.version)}.")
    else:
        click.echo(f"In force now: {_called(turned.version)}. Before: {_called(turned.before)}.")


def _called(version: int | None) -> str:
    return "the packaged rules alone" if version is None else f"version {version}"


@rules.command("compare")
@TENANT
@click.argument("file", type=RULES_FILE, required=False)
@VERSION
@PACKAGED
@click.option("--since", type=Moment(), default="7d", show_default=True, help="From when: 2026-11-01, 2026-11-01T08:00+07:00, 7d, 24h.")
@click.option("--json", "as_json", is_flag=True, help="Every difference as a line of JSON, and the summary as the last line.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="How many differences to show, the most telling.")
@DATA_DIRECTORY
def compare(
    *,
    tenant_id: UUID,
    file: Path | None,
    version: int | None,
    packaged: bool,
    since: datetime,
    as_json: bool,
    limit: int,
    data_dir: Path | None,
) -> None:
    """Judge a tenant's stored messages by the rules in force and by a candidate, and tell what differs. Writes nothing.

    \b
    A file, before it is stored:  lead-signals rules compare --tenant … my_rules.yaml
    A stored version:             lead-signals rules compare --tenant … --version 2
    Without rules of its own:     lead-signals rules compare --tenant … --packaged
    """
    if (file is not None) + (version is not None) + packaged != 1:
        raise click.UsageError("Name one candidate: a FILE, --version or --packaged.")
    from lead_signals.intake.shown_comparison import ShownComparison
    from lead_signals.intent.pack.rule_pack import packaged_rule_pack

    given = packaged_rule_pack() if file is None else _compiled(_content_of(file), file.name)

    async def do(engine: "AsyncEngine", _: "TenantSession | None") -> None:
        candidate = given if version is None else await _stored_candidate(engine, tenant_id, version)
        await _compare(engine, tenant_id, candidate, since, ShownComparison(as_json=as_json, limit=limit))

    _in_tenant(tenant_id, data_dir, do, alone=True)


async def _compare(engine: "AsyncEngine", tenant_id: UUID, candidate: "RulePack", since: datetime, shown: "ShownComparison") -> None:
    from lead_signals.intake.compare_rules import compare_rules
    from lead_signals.intake.replay import ReplayPlan, measure_replay
    from lead_signals.rule_packs.pack_in_force import pack_in_force

    active = (await pack_in_force(engine, tenant_id)).rule_pack
    plan = ReplayPlan(since, clock.now(), tenant_id, candidate)
    size = await measure_replay(engine, plan)
    shown.begin(size, active, candidate)
    with ReplayProgress(size.receipts) as progress:
        async with aclosing(compare_rules(engine, tenant_id, plan, active, candidate)) as parts:
            async for part in parts:
                shown.add(part)
                progress.add(part.receipts)
    shown.end()


async def _stored_candidate(engine: "AsyncEngine", tenant_id: UUID, version: int) -> "RulePack":
    from lead_signals.rule_packs.compile_pack import name_of
    from lead_signals.rule_packs.stored_pack import find_pack
    from lead_signals.tenancy.tenant_session import tenant_session

    async with tenant_session(engine, tenant_id) as session:
        stored = await find_pack(session, tenant_id, version)
    if stored is None:
        raise _no_version(version)
    return _compiled(stored.content, name_of(version))


def _no_version(version: int) -> click.ClickException:
    return click.ClickException(f"This tenant has no version {version} of its own rules; see lead-signals rules list.")


def _content_of(file: Path) -> str:
    """The file's text; only the beginning of one that is too large, which is then refused with its sentence."""
    with file.open("rb") as opened:
        raw = opened.read(MOST_BYTES_READ)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8: byte {error.start + 1} is none of it. Save it as UTF-8.") from None


def _compiled(content: str, name: str) -> "RulePack":
    from lead_signals.rule_packs.compile_pack import compile_pack

    with usable_rules():
        return compile_pack(content, name)


def _in_tenant(tenant_id: UUID, data_dir: Path | None, do: Callable[..., Awaitable[Done]], *, alone: bool = False) -> Done:
    """What `do` gives, inside a transaction of the tenant; `alone`: without one, for what opens its own."""
    from lead_signals.tenancy.tenant import find_tenant
    from lead_signals.tenancy.tenant_session import tenant_session

    async def inside(engine: "AsyncEngine", _: "Settings") -> Done:
        async with tenant_session(engine, tenant_id) as session:
            if await find_tenant(session, tenant_id) is None:
                raise click.ClickException(f"There is no tenant {tenant_id}.")
            if not alone:
                return await do(engine, session)
        return await do(engine, None)

    return at_the_database("rules", data_dir, inside)
