"""Fit the model: features in, weights out, and how far its odds are to be trusted with people nobody has heard."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from lead_signals.intent.classify import judge
from lead_signals.intent.statistics.opinion_features import opinion_features
from lead_signals.intent.statistics.statistical_model import MODEL_FORMAT, THOUSANDTHS
from lead_signals.intent.statistics.statistical_opinion import clear_winner, share_of_each
from lead_signals.intent.verdict import IntentLabel
from training.sentences import Sentence, without_diacritics, without_marks

LABELS = tuple(IntentLabel)
REGULARISATION = 0.5
"""sklearn's C: of 0.3, 0.5, 1 and 3 the one whose odds were nearest to the truth on people it was not fitted on."""
SELDOM = 2
"""A word must stand in so many sentences; what stands in one is that sentence learned by heart."""
BARE_TWIN_COUNTS = 0.5
LEAST_WEIGHT = 100
"""In thousandths of a logit. What weighs less for every intent moves nobody: half of the words go, and no figure changes."""

FIFTHS = 5

RULES_SPEAK_LOUDER = 3.0
"""What the rules found stands three times as tall as a word, so that the penalty on large weights holds it back less."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A sentence as the model sees it: names of words, what each intent got from the rules, who won among them."""

    sentence: Sentence
    names: frozenset[str]
    voices: dict[IntentLabel, float]
    winner: IntentLabel | None
    fifth: int
    counts: float = 1.0


def look_at(sentences: Sequence[Sentence]) -> list[Looked]:
    """Every sentence, and the twins without diacritics."""
    twins = without_diacritics(sentences)
    return [_look(one, 1.0) for one in sentences] + [_look(one, BARE_TWIN_COUNTS) for one in twins]


def _look(sentence: Sentence, counts: float) -> Looked:
    judged = judge(sentence.text, ask_statistics=False)
    names = frozenset(feature.name for feature in opinion_features(judged.tokens))
    fifth = sha256(without_marks(sentence.text).encode()).digest()[0] % FIFTHS
    return Looked(sentence, names, dict(judged.weighing.scores), clear_winner(judged.weighing), fifth, counts)


def fit(looked: Sequence[Looked]) -> dict[str, Any]:
    """The content of the model's file, without its trust."""
    columns = _columns(looked)
    model = LogisticRegression(C=REGULARISATION, max_iter=300, tol=1e-4)
    model.fit(_matrix(looked, columns), [one.sentence.label.value for one in looked], sample_weight=[one.counts for one in looked])
    # The odds stay what they are when a row is shifted; adding up to zero, it says what speaks for an intent rather than for all.
    weights = np.rint((model.coef_ - model.coef_.mean(axis=0)) * THOUSANDTHS).astype(int)
    labels = [str(label) for label in model.classes_]
    rows = {name: [int(weight) for weight in weights[:, column]] for name, column in columns.items()}
    for name in [_voice(label) for label in LABELS] + [_won(label) for label in (None, *LABELS)]:
        rows[name] = [round(weight * RULES_SPEAK_LOUDER) for weight in rows[name]]
    words = {name: row for name, row in rows.items() if not name.startswith("\t") and max(map(abs, row)) >= LEAST_WEIGHT}
    return {
        "format": MODEL_FORMAT,
        "labels": labels,
        "bias": [int(weight) for weight in np.rint(model.intercept_ * THOUSANDTHS)],
        "voices": {str(label): rows.get(_voice(label), [0] * len(labels)) for label in LABELS},
        "winners": {str(label or ""): rows.get(_won(label), [0] * len(labels)) for label in (None, *LABELS)},
        "words": dict(sorted(words.items())),
    }


def odds(content: dict[str, Any], looked: Sequence[Looked]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The logits of each sentence, by the labels of `content`: what `form_opinion` computes, for many at once."""
    sums = np.zeros((len(looked), len(content["labels"])))
    for number, one in enumerate(looked):
        sums[number] += np.array(content["bias"]) + content["winners"][str(one.winner or "")]
        known = sorted(one.names & content["words"].keys())
        words = sum((np.array(content["words"][name]) for name in known), np.zeros(len(content["labels"])))
        sums[number] += words * share_of_each(len(known))
        for label, score in one.voices.items():
            sums[number] += np.array(content["voices"][str(label)]) * score
    return sums / THOUSANDTHS


def find_trust(looked: Sequence[Looked]) -> tuple[dict[str, float], float]:
    """How far an opinion on a sentence the model has not read is to be trusted, and how often it was right about such sentences.

    Each fifth is judged by a model fitted on the other four; a sentence and its bare twin are always in the same fifth. Right is
    what the author or a second reader would say.
    """
    log_odds: list[float] = []
    right: list[bool] = []
    for fifth in range(FIFTHS):
        content = fit([one for one in looked if one.fifth != fifth])
        theirs = [one for one in looked if one.fifth == fifth and one.counts == 1.0]
        sums = odds(content, theirs)
        said = [IntentLabel(content["labels"][column]) for column in sums.argmax(axis=1)]
        shares = 1.0 / np.exp(sums - sums.max(axis=1, keepdims=True)).sum(axis=1)
        log_odds += [float(np.log(share / (1 - share))) for share in shares]
        right += [label in (one.sentence.label, *one.sentence.acceptable) for label, one in zip(said, theirs, strict=True)]
    line = LogisticRegression(C=1e6).fit(np.array(log_odds).reshape(-1, 1), right)
    return {"slope": round(float(line.coef_[0][0]), 3), "offset": round(float(line.intercept_[0]), 3)}, sum(right) / len(right)


def _columns(looked: Sequence[Looked]) -> dict[str, int]:
    stands_in = Counter(name for one in looked for name in one.names)
    names = sorted(name for name, times in stands_in.items() if times >= SELDOM)
    names += [_voice(label) for label in LABELS] + [_won(label) for label in (None, *LABELS)]
    return {name: column for column, name in enumerate(names)}


def _matrix(looked: Sequence[Looked], columns: dict[str, int]) -> csr_matrix:
    rows: list[int] = []
    at: list[int] = []
    values: list[float] = []
    for number, one in enumerate(looked):
        known = sorted(one.names & columns.keys())
        found = [(columns[name], share_of_each(len(known))) for name in known]
        found += [(columns[_voice(label)], score * RULES_SPEAK_LOUDER) for label, score in one.voices.items()]
        found.append((columns[_won(one.winner)], RULES_SPEAK_LOUDER))
        rows += [number] * len(found)
        at += [column for column, _ in found]
        values += [value for _, value in found]
    return csr_matrix((values, (rows, at)), shape=(len(looked), len(columns)))


# A tab stands in no word, so these can be no word's name.
def _voice(label: IntentLabel) -> str:
    return f"\tvoice {label}"


def _won(label: IntentLabel | None) -> str:
    return f"\twon {label or ''}"
