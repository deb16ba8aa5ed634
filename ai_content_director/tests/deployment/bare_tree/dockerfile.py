"""A Dockerfile as data: its stages and their instructions, read strictly.

Only what our own Dockerfile uses is understood; anything else is an error, so that nothing is passed over in silence.
The grammar is that of the Dockerfile reference: https://docs.docker.com/reference/dockerfile/
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

KEYWORDS = frozenset({"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "WORKDIR"})
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class DockerfileError(Exception):
    """The Dockerfile has something this reader does not understand; the message names the line."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: the line it starts on, its keyword in capitals, and the rest with continued lines joined."""

    line: int
    keyword: str
    value: str

    def __str__(self) -> str:
        shown = " ".join(self.value.split())
        return f"{self.keyword} {shown if len(shown) <= 100 else shown[:99] + '…'}"


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it: on which ground (an image or an earlier stage), and under which name."""

    name: str
    ground: str
    instructions: tuple[Instruction, ...]


def read_stages(text: str) -> tuple[Stage, ...]:
    """The stages of a Dockerfile, in order. Raises DockerfileError."""
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.keyword == "FROM":
            found = re.fullmatch(r"(\S+)(?:\s+AS\s+(\S+))?", instruction.value, re.IGNORECASE)
            if not found:
                raise DockerfileError(f"line {instruction.line}: FROM wants `image` or `image AS name`, found {instruction.value!r}")
            stages.append(Stage(found[2] or str(len(stages)), found[1], ()))
        elif not stages:
            raise DockerfileError(f"line {instruction.line}: {instruction.keyword} stands before the first FROM")
        else:
            last = stages[-1]
            stages[-1] = Stage(last.name, last.ground, (*last.instructions, instruction))
    if not stages:
        raise DockerfileError("the Dockerfile has no FROM")
    return tuple(stages)


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    open_line, open_text = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#") or (not open_text and not line.strip()):
            continue
        open_line = open_line if open_text else number
        if line.rstrip().endswith("\\"):
            open_text += line.rstrip()[:-1] + " "
            continue
        keyword, _, value = (open_text + line).strip().partition(" ")
        if keyword.upper() not in KEYWORDS:
            raise DockerfileError(f"line {open_line}: {keyword} is no instruction this reader knows ({', '.join(sorted(KEYWORDS))})")
        found.append(Instruction(open_line, keyword.upper(), value.strip()))
        open_text = ""
    if open_text:
        raise DockerfileError(f"line {open_line}: the last line ends in a backslash, and nothing follows")
    return found


def command(value: str) -> tuple[str, ...]:
    """CMD, ENTRYPOINT and RUN: the JSON form as it stands, the plain form for /bin/sh."""
    if value.startswith("["):
        parts = json.loads(value)
        if not parts or not all(isinstance(part, str) for part in parts):
            raise DockerfileError(f"a command in JSON form is a list of strings, found {value!r}")
        return tuple(parts)
    return ("/bin/sh", "-c", value)


def healthcheck(value: str) -> tuple[str, ...]:
    """The command of HEALTHCHECK, its options left out."""
    found = re.fullmatch(r"(?:--[a-z-]+=\S+\s+)*CMD\s+(.+)", value, re.DOTALL)
    if not found:
        raise DockerfileError(f"HEALTHCHECK wants options and `CMD command`, found {value!r}")
    return command(found[1])


def assignments(value: str, variables: Mapping[str, str]) -> dict[str, str]:
    """ENV and ARG: `NAME=value` pairs, `$NAME` and `${NAME}` replaced from `variables`; ARG may leave the value out."""
    pairs = {}
    for word in shlex.split(value):
        name, _, given = word.partition("=")
        if not re.fullmatch(r"\w+", name):
            raise DockerfileError(f"expected NAME=value, found {word!r}")
        pairs[name] = expand(given, variables)
    return pairs


def expand(value: str, variables: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced; an unknown name becomes nothing, as in a Dockerfile."""
    return _VARIABLE.sub(lambda found: variables.get(found[1] or found[2], ""), value)
