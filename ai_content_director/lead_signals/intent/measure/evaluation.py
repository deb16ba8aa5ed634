"""What a set of labelled messages says about the engine, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lead_signals.intent.classify import Judgement
from lead_signals.intent.measure.labelled_message import LabelledMessage
from lead_signals.intent.measure.reliability import ReliabilityBin
from lead_signals.intent.verdict import IntentLabel

Lane = Literal["auto", "draft", "escalate"]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label. `support` texts have it, `said` texts got it; `lenient_recall` counts acceptable answers to the texts that have it.

    A ratio over nothing is None, never 0.
    """

    precision: float | None
    recall: float | None
    f1: float
    support: int
    said: int
    lenient_recall: float | None


@dataclass(frozen=True, slots=True)
class LaneScore:
    """One lane: how many texts went there, which share of all, and how many of those were right. None over nothing."""

    count: int
    coverage: float
    lenient_precision: float | None
    strict_precision: float | None


@dataclass(frozen=True, slots=True)
class PhoneScore:
    """Of the `messages` where a person said whether a phone is in them: `there` have one, in `found` we found one, `both` agree."""

    messages: int
    there: int
    found: int
    both: int

    @property
    def precision(self) -> float | None:
        """How many of those found are there."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """How many of those there are found."""
        return self.both / self.there if self.there else None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A message that got a label which is neither its own nor acceptable."""

    message: LabelledMessage
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All measures of one set. Accuracies, F1 and errors are 0..1.

    `macro_f1` is the mean over `macro_labels`, those with enough texts to say something, and None when there is none;
    `labels` and `confusion` (label → what was said → how often) hold each label that a text has or got, in the order of
    precedence; `mistakes` begin with the most confident one; `decided` counts who decided.
    """

    rule_pack: str
    messages: int
    accuracy: float
    lenient_accuracy: float
    macro_f1: float | None
    macro_labels: Sequence[IntentLabel]
    labels: Mapping[IntentLabel, LabelScore]
    confusion: Mapping[IntentLabel, Mapping[IntentLabel, int]]
    lanes: Mapping[Lane, LaneScore]
    ece: float
    ece_strict: float
    brier: float
    reliability: Sequence[ReliabilityBin]
    phones: PhoneScore | None
    decided: Mapping[str, int]
    mistakes: Sequence[Mistake]
