"""What an operator can mend is told in one sentence on standard error, with exit status 1; a defect of ours keeps its traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lead_signals.printable import printable
from lead_signals.settings import ConfigurationError, Settings, read_settings


def settings_or_sentence() -> Settings:
    """The settings of the environment. Raises click.ClickException naming every variable that needs a hand."""
    try:
        return read_settings()
    except ConfigurationError as error:
        raise click.ClickException(f"the environment needs a hand:\n{error}") from None


@contextmanager
def usable_rules() -> Iterator[None]:
    """Rules that cannot be read are told mistake by mistake, with exit status 1. They may be of strangers: nothing steers a terminal."""
    from lead_signals.intent.pack.rule_pack import RulePackError

    try:
        yield
    except RulePackError as error:
        problems = "\n".join(printable(line) for line in str(error).splitlines())
        raise click.ClickException(f"These rules cannot be used:\n{problems}") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}.") from None


def languages_or_sentence(folder: Path) -> list[Path]:
    """The languages in a folder named by `--rules`. Raises click.BadParameter when there is none."""
    from lead_signals.intent.pack.languages_in import languages_in

    found = languages_in(folder)
    if not found:
        raise click.BadParameter(f"{folder} holds no rules: expected language.yaml in it, or in folders of it.", param_hint="--rules")
    return found


class one_clear_sentence:  # noqa: N801 - reads as a phrase after `with`
    """Turn the errors an operator can mend into one sentence on stderr and exit status 1; the rest keep their traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokenPipeError):  # who read our output has gone; click ends quietly with status 1
            return
        from lead_signals.database.availability import database_is_away, why_away
        from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
        from lead_signals.database.engine import DatabaseAddressError, UnsafeDatabaseError
        from lead_signals.database.migrate import MigrationError
        from lead_signals.database.roles import RoleBootstrapError
        from lead_signals.serve import ServeError

        mendable = (EmbeddedServerError, DatabaseAddressError, UnsafeDatabaseError, RoleBootstrapError, MigrationError)
        if isinstance(error, (*mendable, ServeError, ConfigurationError)):
            raise click.ClickException(str(error)) from None
        if error is not None and not isinstance(error, (SystemExit, KeyboardInterrupt)) and database_is_away(error):
            raise click.ClickException(
                f"PostgreSQL cannot be reached ({why_away(error)}): is DATABASE_URL right, and the server up?"
            ) from None
