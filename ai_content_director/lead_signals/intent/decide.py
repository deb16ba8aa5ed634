"""Who decides, and how sure we are: the rules where they are certain, else the statistics, which have heard the rules."""

from dataclasses import dataclass
from typing import Literal

from lead_signals.intent.evidence.weigh_evidence import Weighing
from lead_signals.intent.lane import STORED_DECIMALS
from lead_signals.intent.statistics.statistical_opinion import Opinion, clear_winner
from lead_signals.intent.verdict import IntentLabel

CERTAIN = 0.85
"""Rules that weigh as much decide by themselves; with it the lane that nobody reviews begins."""

GRAVE_DOUBT = 0.2
"""Unless the statistics give their intent less than this: then they were right once in five times, on sentences left out."""

LEAST_TO_NAME = 0.5
NEARLY_UNKNOWN = 0.5
"""An intent that is less likely than all others together is not named when unknown is half as likely: a guess would call somebody
about nothing. On messages of others it was right more often so, and the language model is asked."""

MOST_CERTAIN_OF_NOTHING = 0.84
"""That nothing is wanted is never sent past a person on the word of statistics alone: somebody looks, or the language model is asked."""

MOST_CERTAIN = 0.99
"""Two people who label the same messages agree on 93 of 100; nobody is ever quite sure."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`confidence_score` is the chance that the intent is right, 0..1, rounded as it is stored. `reason` is one sentence."""

    intent_label: IntentLabel
    confidence_score: float
    by: Literal["rules", "statistics"]
    reason: str


def decide(weighing: Weighing, opinion: Opinion | None, *, by_own_rule: bool = False) -> Decision:
    """The intent and how sure we are of it.

    The rules name the intent when they are certain. The number comes from the statistics either way: they know how often such
    rules were right with such words. Without an opinion (a text without a word, or nobody asked) the rules' own weight stands;
    so it does when a tenant's own rule is behind the winner (`by_own_rule`), for whose words the statistics have no ear.
    """
    rules = clear_winner(weighing)
    if opinion is None or (by_own_rule and rules is not None):
        return Decision(weighing.intent_label, weighing.confidence_score, "rules", weighing.reason)
    likeliest = opinion.likeliest
    if rules is likeliest:
        return Decision(likeliest, _chance(opinion, likeliest), "rules", f"{_why(weighing)}; the statistics agree")
    if rules is not None and dict(weighing.scores)[rules] >= CERTAIN and opinion.of(rules) >= GRAVE_DOUBT:
        reason = f"{_why(weighing)}; the words alone look like {likeliest}"
        return Decision(rules, _chance(opinion, rules), "rules", reason)
    unknown = IntentLabel.UNKNOWN
    if opinion.of(likeliest) < LEAST_TO_NAME and opinion.of(unknown) >= NEARLY_UNKNOWN * opinion.of(likeliest):
        return Decision(unknown, _chance(opinion, unknown), "statistics", f"no intent is clear; {likeliest} is the likeliest")
    chance = _chance(opinion, likeliest)
    if likeliest is unknown:
        chance = min(chance, MOST_CERTAIN_OF_NOTHING)
    return Decision(likeliest, chance, "statistics", _leaning(rules, likeliest))


def _why(weighing: Weighing) -> str:
    """Why this intent won among the rules; what made their own number smaller is told no more, for the number is another."""
    return weighing.reason.partition(";")[0]


def _leaning(rules: IntentLabel | None, likeliest: IntentLabel) -> str:
    if rules is None:
        return "no rule speaks clearly; the words are those of such messages"
    return f"the rules lean to {rules}, but the words are those of {likeliest}"


def _chance(opinion: Opinion, label: IntentLabel) -> float:
    return round(min(opinion.trust.chance(opinion.of(label)), MOST_CERTAIN), STORED_DECIMALS)
