"""What is wrong with a rule pack, each mistake with the line it stands in."""

from dataclasses import dataclass, field

MOST_TOLD = 200
"""A person mends the first of them and asks again; a file of strangers may hold a million."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: the file as it is called to a person, and the line from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class PackMistakes:
    """All mistakes found so far. Reading goes on behind each of them, so that they are told at once."""

    lines: list[str] = field(default_factory=list)
    untold: int = 0

    def __bool__(self) -> bool:
        return bool(self.lines)

    @property
    def is_full(self) -> bool:
        """Whether one more would not be told: its sentence need not be worked out."""
        return len(self.lines) >= MOST_TOLD

    def add(self, place: Place, reason: str) -> None:
        """One more, as `file:line: reason`."""
        if len(self.lines) < MOST_TOLD:
            self.lines.append(f"{place}: {reason}")
        else:
            self.untold += 1

    def told(self) -> str:
        """One line for each."""
        return "\n".join([*self.lines, f"… and {self.untold} more"] if self.untold else self.lines)
