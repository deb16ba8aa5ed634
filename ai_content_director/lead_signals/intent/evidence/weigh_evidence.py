"""From evidence to one label: how sure each intent is, and which of them wins."""

from collections.abc import Sequence
from dataclasses import dataclass

from lead_signals.intent.lane import STORED_DECIMALS
from lead_signals.intent.verdict import Evidence, IntentLabel

MOST_CERTAIN = 0.97
LEAST_TO_WIN = 0.50
NOTHING_SAID = 0.30
# A second rule about other words makes the first one surer, but the two are seldom independent.
SUPPORT_SHARE = 0.3
# An intent that stands earlier in the precedence may be this much less sure and still win.
PRECEDENCE_LEAD = 0.2
# Two different businesses in one text: a person should look. Advertising always asks to be called, that is no second one.
RIVAL_MARGIN = 0.1
RIVAL_FACTOR = 0.9

_COURTESIES = frozenset({IntentLabel.THANKS, IntentLabel.ENGAGEMENT})
_RIVALS = frozenset(
    {
        IntentLabel.SPAM,
        IntentLabel.COMPLAINT,
        IntentLabel.PURCHASE_INTENT,
        IntentLabel.INQUIRY_PRICE,
        IntentLabel.DEMO_REQUEST,
        IntentLabel.CONTACT_REQUEST,
    }
)
_PRECEDENCE = tuple(IntentLabel)


@dataclass(frozen=True, slots=True)
class Weighing:
    """The winner, its confidence (0..1, rounded as stored), how sure every intent was, and the reason in one sentence."""

    intent_label: IntentLabel
    confidence_score: float
    scores: tuple[tuple[IntentLabel, float], ...]
    reason: str


_SILENCE = Weighing(IntentLabel.UNKNOWN, NOTHING_SAID, (), "no rule speaks")


def weigh_evidence(evidence: Sequence[Evidence]) -> Weighing:
    """Adds up the evidence for each intent and lets the precedence of LABELS decide between equally clear ones."""
    if not evidence:
        return _SILENCE
    by_label: dict[IntentLabel, list[Evidence]] = {}
    for one in evidence:
        by_label.setdefault(one.intent_label, []).append(one)
    scores = {label: _score(by_label[label]) for label in _PRECEDENCE if label in by_label}
    listed = tuple(scores.items())
    clear = {label: score for label, score in scores.items() if score >= LEAST_TO_WIN}
    if not clear:
        return Weighing(IntentLabel.UNKNOWN, NOTHING_SAID, listed, "what speaks is too weak to name an intent")
    winner, reason = _winner(clear)
    confidence = clear[winner]
    rivals = [label for label, score in clear.items() if label in _RIVALS and label is not winner and score >= confidence - RIVAL_MARGIN]
    if rivals and winner in _RIVALS and winner is not IntentLabel.SPAM:
        confidence *= RIVAL_FACTOR
        reason += f"; less sure because {' and '.join(rivals)} is as clear"
    return Weighing(winner, round(confidence, STORED_DECIMALS), listed, reason)


def _winner(clear: dict[IntentLabel, float]) -> tuple[IntentLabel, str]:
    strongest = max(clear.values())
    if clear.get(IntentLabel.UNKNOWN, 0.0) >= strongest and IntentLabel.COMPLAINT not in clear:
        return IntentLabel.UNKNOWN, "nothing is asked for as clearly as that nothing is wanted"
    requests: dict[IntentLabel, float] = {
        label: score for label, score in clear.items() if label not in _COURTESIES and label is not IntentLabel.UNKNOWN
    }
    field: dict[IntentLabel, float] = requests or {label: score for label, score in clear.items() if label is not IntentLabel.UNKNOWN}
    if len(field) == 1:
        only = next(iter(field))
        return only, "the only intent that is clear" if len(clear) == 1 else "a request counts more than the courtesies around it"
    floor = max(field.values()) - PRECEDENCE_LEAD
    winner = next(label for label in _PRECEDENCE if field.get(label, -1.0) >= floor)
    if field[winner] == max(field.values()):
        return winner, "the clearest intent"
    return winner, f"nearly as clear as {max(field, key=lambda label: field[label])}, and comes before it"


def _score(evidence: list[Evidence]) -> float:
    counted: list[Evidence] = []
    ordered = sorted(evidence, key=lambda each: (-each.weight, each.start, each.rule)) if len(evidence) > 1 else evidence
    for one in ordered:
        if all(one.end <= other.start or other.end <= one.start for other in counted):
            counted.append(one)
    score = counted[0].weight
    for one in counted[1:]:
        score += (1.0 - score) * SUPPORT_SHARE * one.weight
    # Evidence that is all weak stays weak together: two guesses are no certainty.
    ceiling = MOST_CERTAIN if counted[0].weight >= LEAST_TO_WIN else 0.69
    return min(score, ceiling)
