"""`.dockerignore`: which files of the build context an image may not see.

Rules of https://docs.docker.com/build/concepts/context/#dockerignore-files: the last pattern that matches a path, or a folder above
it, decides; `!` lets in again; `**` spans folders.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath


def read_patterns(text: str) -> list[str]:
    """The patterns of a `.dockerignore`, in order; comments and blank lines left out."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def is_ignored(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Whether `path`, relative to the build context, stays out of it."""
    ignored = False
    with_parents = [str(part) for part in (path, *path.parents) if str(part) != "."]
    for pattern in patterns:
        expression = _expression(pattern.lstrip("!").strip("/"))
        if any(expression.fullmatch(candidate) for candidate in with_parents):
            ignored = not pattern.startswith("!")
    return ignored


def _expression(pattern: str) -> re.Pattern[str]:
    written = ""
    rest = pattern
    while rest:
        for sign, meaning in (("**/", "(?:.*/)?"), ("**", ".*"), ("*", "[^/]*"), ("?", "[^/]")):
            if rest.startswith(sign):
                written, rest = written + meaning, rest[len(sign) :]
                break
        else:
            written, rest = written + re.escape(rest[0]), rest[1:]
    return re.compile(written)
