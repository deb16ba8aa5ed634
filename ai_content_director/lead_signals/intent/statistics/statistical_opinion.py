"""The statistical opinion: how likely each intent is for a text, from its words and from what the rules found in it."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lead_signals.intent.evidence.weigh_evidence import LEAST_TO_WIN, Weighing
from lead_signals.intent.folding.text_folding import WORD, Token
from lead_signals.intent.statistics.opinion_features import BEGIN, END, seen_words
from lead_signals.intent.statistics.statistical_model import LANE_BITS, THOUSANDTHS, KnownWord, StatisticalModel, Trust, Weights
from lead_signals.intent.verdict import Evidence, IntentLabel

OPINION_RULE: Final = "statistical opinion"
"""Stands where a rule's name stands, in evidence that no rule gave."""

USUAL_KNOWN = 12
"""How many words and pairs of a text of six words the model knows."""

MOST_WORDS_SHOWN = 3
LEAST_SHARE_SHOWN = 0.1

Moved = tuple[Weights, int, int]
"""What a word or a pair weighs, the first token it is about, and the one after the last."""

_LABELS: Final = len(IntentLabel)
_LANES: Final = struct.Struct(f"<{_LABELS}Q")
_LANE_OFFSET: Final = 1 << (LANE_BITS - 2)  # lifts every lane above zero, so that none borrows from its neighbour
_OFFSETS: Final = sum(_LANE_OFFSET << (LANE_BITS * lane) for lane in range(_LABELS))
_UNKNOWN_WORD: Final = KnownWord()


@dataclass(frozen=True, slots=True)
class Opinion:
    """`probabilities` add up to 1, in the order of `labels`; `moved` is everything in the text that the model knew."""

    labels: tuple[IntentLabel, ...]
    probabilities: tuple[float, ...]
    moved: tuple[Moved, ...]
    trust: Trust

    @property
    def likeliest(self) -> IntentLabel:
        """The intent with the highest probability."""
        return self.labels[self.probabilities.index(max(self.probabilities))]

    def of(self, label: IntentLabel) -> float:
        """How likely this intent is, 0..1."""
        return self.probabilities[self.labels.index(label)]

    def ranked(self) -> tuple[tuple[IntentLabel, float], ...]:
        """All intents with their probabilities, the likeliest first."""
        return tuple(sorted(zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1]))


def form_opinion(tokens: Sequence[Token], weighing: Weighing, model: StatisticalModel) -> Opinion:
    """How likely each intent is. Pure arithmetic over the words the model knows: linear in the length of the text."""
    moved = _known_in(tokens, model)
    different = {id(one[0]): one[0].packed for one in moved}  # said a hundred times, it is said
    packed = sum(different.values()) + _OFFSETS
    share = share_of_each(len(different))
    words = _LANES.unpack(packed.to_bytes(_LANES.size, "little"))
    unmoved = model.unmoved[clear_winner(weighing)]
    sums = [(lane - _LANE_OFFSET) * share + before for lane, before in zip(words, unmoved, strict=True)]
    for label, score in weighing.scores:
        sums = [total + weight * score for total, weight in zip(sums, model.voices[label].row, strict=True)]
    return Opinion(model.labels, _softmax(sums, THOUSANDTHS), tuple(moved), model.trust)


def share_of_each(known: int) -> float:
    """How loud one of `known` different words and pairs speaks. A long text says the same in many ways: it is no surer for being long.

    With the root of the length the surprise about people left out fell by a ninth, against words that all count in full.
    """
    return math.sqrt(USUAL_KNOWN / known) if known else 0.0


def clear_winner(weighing: Weighing) -> IntentLabel | None:
    """The intent that won among the rules; None when nothing they found was clear."""
    return weighing.intent_label if any(score >= LEAST_TO_WIN for _, score in weighing.scores) else None


def words_that_moved(text: str, tokens: Sequence[Token], opinion: Opinion, label: IntentLabel) -> tuple[Evidence, ...]:
    """The words that spoke most for `label`, neighbours together, in the order of the text.

    `weight` is the share of all that spoke for it, 0..1. Nothing when only the rules' findings spoke.
    """
    column = opinion.labels.index(label)
    spoken_for = [0.0] * len(tokens)
    for weights, first, after in opinion.moved:
        # A row adds up to zero: what is above it speaks for the intent rather than for all. A pair's weight goes half to each word.
        weight = weights.row[column] / 2
        spoken_for[first] += weight
        spoken_for[after - 1] += weight
    total = sum(weight for weight in spoken_for if weight > 0)
    if total <= 0:
        return ()
    strongest = sorted(range(len(tokens)), key=lambda number: -spoken_for[number])[:MOST_WORDS_SHOWN]
    shown = sorted(number for number in strongest if spoken_for[number] / total >= LEAST_SHARE_SHOWN)
    evidence: list[Evidence] = []
    for first, after in _runs(shown):
        start, end = tokens[first].start, tokens[after - 1].end
        share = round(sum(spoken_for[first:after]) / total, 3)
        evidence.append(Evidence(OPINION_RULE, text[start:end], start, end, label, share))
    return tuple(evidence)


def _known_in(tokens: Sequence[Token], model: StatisticalModel) -> list[Moved]:
    """What `opinion_features` names and the model knows, without spelling the names out: two looks for a word, two for a pair."""
    bare_words, typed_words = model.bare, model.typed
    bare_before = bare_words.get(BEGIN, _UNKNOWN_WORD)
    typed_before = typed_words.get(BEGIN, _UNKNOWN_WORD)
    was_typed = False
    found: list[Moved] = []
    number = 0
    for token in tokens:
        folded, bare, typed_diacritics, _, _, kind, _, _, _ = token
        if kind != WORD:
            bare, folded = seen_words(token)
        after, pair_from = number + 1, number - 1 if number else 0
        word = bare_words.get(bare, _UNKNOWN_WORD)
        if word.alone is not None:
            found.append((word.alone, number, after))
        pair = bare_before.before.get(bare)
        if pair is not None:
            found.append((pair, pair_from, after))
        typed = typed_words.get(folded, _UNKNOWN_WORD)
        if typed_diacritics and typed.alone is not None:
            found.append((typed.alone, number, after))
        if typed_diacritics or was_typed:
            pair = typed_before.before.get(folded)
            if pair is not None:
                found.append((pair, pair_from, after))
        bare_before, typed_before, was_typed, number = word, typed, typed_diacritics, after
    ending = bare_before.before.get(END) if tokens else None
    if ending is not None:
        found.append((ending, number - 1, number))
    return found


def _softmax(sums: Sequence[float], divisor: float) -> tuple[float, ...]:
    highest = max(sums)
    grown = [math.exp((one - highest) / divisor) for one in sums]
    total = sum(grown)
    return tuple([one / total for one in grown])


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs
