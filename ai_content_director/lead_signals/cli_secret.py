"""A secret that a command is given: from a file, standard input or a hidden prompt, never from the arguments.

Those are seen by everybody on the machine and stay in the shell's history.
"""

import sys
from pathlib import Path

import click


def read_secret(file: str, what: str) -> str:
    """The words in the file, without the white space around them; `-` asks at a terminal, else reads standard input. `what` is its name."""
    if file == "-" and sys.stdin.isatty():
        return str(click.prompt(f"{what} (it is not shown)", hide_input=True)).strip()
    try:
        return (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"The {what[0].lower()}{what[1:]} cannot be read from {file} ({error.__class__.__name__}).") from None
