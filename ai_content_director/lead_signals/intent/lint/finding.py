"""What is doubtful about a rule though it can be read: a finding of the lint."""

from dataclasses import dataclass
from enum import StrEnum

from lead_signals.intent.pack.pack_mistakes import Place


class FindingKind(StrEnum):
    """Errors first, then hints."""

    DEAD = "dead"
    CONFLICTING = "conflicting"
    RUNS_AWAY = "runs_away"
    SHADOWED = "shadowed"
    UNPROVEN = "unproven"
    CHANGED = "changed"
    """A sentence of a packaged rule that comes out otherwise under a tenant's words; it stands in place of the pattern."""


ERRORS = frozenset({FindingKind.DEAD, FindingKind.CONFLICTING, FindingKind.RUNS_AWAY})


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` is one sentence: what is so, and what to do."""

    kind: FindingKind
    place: Place
    rule: str
    pattern: str
    advice: str

    @property
    def is_error(self) -> bool:
        """Whether it must be mended; a hint may stand."""
        return self.kind in ERRORS
