"""A verdict as it is kept: in a lead's columns and `meta`, and as JSON beside each version of its text."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lead_signals.intent.lane import lane_status
from lead_signals.intent.verdict import Priority, Verdict
from lead_signals.leads.lead_list import Lead


@dataclass(frozen=True, slots=True)
class KeptVerdict:
    """What was read in one text, in stored words: rows of other versions may hold words that this one does not know.

    `evidence` names each rule that spoke and where, in characters of the text it belongs to; never the words themselves.
    """

    intent_label: str
    priority: str
    confidence_score: float
    status: str
    rule_pack: str | None
    evidence: list[dict[str, Any]]
    phones: list[str]
    emails: list[str]

    @classmethod
    def of(cls, verdict: Verdict) -> "KeptVerdict":
        """Of a text that was just classified."""
        return cls(
            verdict.intent_label.value,
            verdict.priority.value,
            verdict.confidence_score,
            verdict.status,
            verdict.rule_pack,
            [
                {"rule": seen.rule, "start": seen.start, "end": seen.end, "intent_label": seen.intent_label.value}
                for seen in verdict.evidence
            ],
            list(verdict.phones),
            list(verdict.emails),
        )

    @classmethod
    def of_lead(cls, lead: Lead) -> "KeptVerdict":
        """Of a lead as it is stored. The lane is the one its score leads to: a person may have moved the lead on since."""
        meta = lead.meta
        return cls(
            lead.intent_label,
            lead.priority,
            lead.confidence_score,
            lane_status(lead.confidence_score),
            meta.get("rule_pack"),
            _list(meta.get("evidence")),
            _list(meta.get("phones")),
            _list(meta.get("emails")),
        )

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "KeptVerdict":
        """The opposite of `as_json`."""
        return cls(**{field.name: kept[field.name] for field in fields(cls)})

    def as_json(self) -> dict[str, Any]:
        """What `message_changes.verdict` holds."""
        return asdict(self)

    def columns(self) -> dict[str, Any]:
        """The columns of a lead that say it; `status` is left out, for people decide it too."""
        return {"intent_label": self.intent_label, "priority": self.priority, "confidence_score": self.confidence_score}

    def meta(self) -> dict[str, Any]:
        """What a lead's `meta` says of it."""
        return {"phones": self.phones, "emails": self.emails, "rule_pack": self.rule_pack, "evidence": self.evidence}

    @property
    def is_urgent(self) -> bool:
        """Whether somebody must be told."""
        return self.priority == Priority.HIGH


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
