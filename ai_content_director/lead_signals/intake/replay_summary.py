"""What a replay found in all, counted while it runs: it holds numbers, never rows."""

from collections import Counter
from dataclasses import dataclass, field, fields

from lead_signals.intake.replay import ReplayedPart
from lead_signals.intake.replay_writing import WrittenByReplay

MATRICES = ("lane", "intent", "priority")
"""What is told as a table from → to."""

Moves = Counter[tuple[str, str]]


@dataclass(slots=True)
class ReplaySummary:
    """Counts over all parts.

    `moves` has, for each of MATRICES, how many leads went from which word to which. `decided` are leads that differ and stay: people
    decided about them, or took them back.
    """

    without_body: int = 0
    receipts: int = 0
    items: int = 0
    unreadable: int = 0
    compared: int = 0
    forms: int = 0
    opinions: int = 0
    refused_then: int = 0
    changed: int = 0
    decided: int = 0
    confidence: int = 0
    contacts: int = 0
    texts: int = 0
    missing: int = 0
    unread: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    moves: dict[str, Moves] = field(default_factory=lambda: {name: Counter() for name in MATRICES})
    written: WrittenByReplay = field(default_factory=WrittenByReplay)

    @property
    def differences(self) -> int:
        """How many things are read differently today; 0 when the code and the rules say what they said."""
        return self.changed + self.missing + self.unread + self.changes.total()

    def add(self, part: ReplayedPart) -> None:
        """Count one more part."""
        found = part.comparison
        self.receipts += part.receipts
        self.items += part.items
        self.unreadable += part.unreadable
        self.compared += found.compared
        self.forms += found.forms
        self.opinions += found.opinions
        self.refused_then += found.refused
        self.changed += len(found.changed)
        self.missing += len(found.missing)
        self.unread += len(found.unread)
        self.changes.update(change.kind.value for change in found.changes)
        for lead in found.changed:
            self.decided += not lead.may_be_written
            self.confidence += "confidence" in lead.differences
            self.contacts += lead.has_other_contacts
            self.texts += lead.has_another_text
            for name, moves in self.moves.items():
                if name in lead.differences:
                    old, new = lead.differences[name]
                    moves[str(old), str(new)] += 1
        self.written = WrittenByReplay(
            *(getattr(self.written, one.name) + getattr(part.written, one.name) for one in fields(WrittenByReplay))
        )
