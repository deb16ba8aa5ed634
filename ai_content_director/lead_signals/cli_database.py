"""What a command does at the database: with the settings of its terminal, on an engine of its own, refusals told in one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lead_signals.mendable_errors import one_clear_sentence, settings_or_sentence

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from lead_signals.settings import Settings

Done = TypeVar("Done")


def at_the_database(command: str, data_dir: Path | None, do: Callable[[AsyncEngine, Settings], Awaitable[Done]]) -> Done:
    """What `do` gives. `command` names us to the database; a refusal, as a request would get it, ends the command with its sentence."""
    from lead_signals.database.embedded_database import database_of
    from lead_signals.database.engine import app_engine
    from lead_signals.log_context import configure_logging
    from lead_signals.request_body import RefusedRequest

    settings = settings_or_sentence()
    configure_logging("WARNING")  # what was done is told by the command itself

    async def at(address: str) -> Done:
        name, production = f"lead-signals {command}", settings.app_env == "production"
        engine = app_engine(address, application_name=name, pool_size=2, production=production)
        try:
            return await do(engine, settings)
        finally:
            await engine.dispose()

    with one_clear_sentence(), database_of(settings, data_dir, must_exist=True) as addresses:
        try:
            return asyncio.run(at(addresses.app))
        except RefusedRequest as refused:
            raise click.ClickException(refused.sentence) from None
    raise AssertionError("one_clear_sentence swallows nothing")
