"""Fitting: the file is what the sentences say, and the odds are what the product computes."""

import math
from random import Random

import numpy as np
import orjson
import pytest

from lead_signals.intent.classify import judge
from lead_signals.intent.statistics.statistical_model import PACKAGED_MODEL, read_model
from lead_signals.intent.statistics.statistical_opinion import form_opinion
from lead_signals.intent.verdict import IntentLabel
from training.fit import find_trust, fit, look_at, odds
from training.sentences import Sentence, read_sentences


@pytest.fixture(scope="module")
def some() -> list[Sentence]:
    """Few enough to fit in a second or two."""
    return Random(7).sample(read_sentences(), 1500)


def test_the_same_sentences_give_the_same_weights(some: list[Sentence]) -> None:
    first, again = fit(look_at(some)), fit(look_at(list(reversed(some))))
    assert first["words"].keys() == again["words"].keys()
    farthest = max(np.abs(np.array(row) - again["words"][name]).max() for name, row in first["words"].items())
    assert farthest <= 50  # thousandths: the order of adding up is another


def test_the_product_computes_what_was_fitted(some: list[Sentence]) -> None:
    content = fit(look_at(some)) | {"trust": {"slope": 1.0, "offset": 0.0}}
    model = read_model(orjson.dumps(content))
    looked = [one for one in look_at(some[:150]) if one.counts == 1.0]
    for one, sums in zip(looked, odds(content, looked), strict=True):
        judged = judge(one.sentence.text, ask_statistics=False)
        opinion = form_opinion(judged.tokens, judged.weighing, model)
        grown = np.exp(sums - sums.max())
        expected = dict(zip(content["labels"], grown / grown.sum(), strict=True))
        assert {label.value: chance for label, chance in opinion.ranked()} == pytest.approx(expected, abs=1e-6), one.sentence.text


def test_on_average_it_expects_each_intent_as_often_as_it_was_shown(some: list[Sentence]) -> None:
    """So it is at the optimum of a regression with a free intercept, and only if fitting and judging weigh words alike."""
    looked = look_at(some)
    content = fit(looked)
    grown = np.exp(sums := odds(content, looked)) / np.exp(sums).sum(axis=1, keepdims=True)
    counts = np.array([one.counts for one in looked])
    expected = (grown * counts[:, None]).sum(axis=0) / counts.sum()
    shown = [sum(one.counts for one in looked if one.sentence.label == label) / counts.sum() for label in content["labels"]]
    assert expected == pytest.approx(shown, abs=0.01)


def test_trust_is_measured_on_sentences_left_out(some: list[Sentence]) -> None:
    trust, right = find_trust(look_at(some))
    assert 0.5 < right < 0.95
    assert trust["slope"] > 0
    learned_by_heart = odds(content := fit(look_at(some)), look_at(some))
    said = [content["labels"][column] for column in learned_by_heart.argmax(axis=1)]
    assert sum(label == one.sentence.label for label, one in zip(said, look_at(some), strict=True)) / len(said) > right


def test_the_packaged_model_knows_the_words_of_its_sentences() -> None:
    """Whoever changes the sentences fits again: `bin/train`."""
    sentences = read_sentences()
    told = [judge(one.text) for one in Random(3).sample(sentences, 2000)]
    asked = Random(3).sample(sentences, 2000)
    right = sum(one.verdict.intent_label in (sentence.label, *sentence.acceptable) for one, sentence in zip(told, asked, strict=True))
    assert right / len(asked) >= 0.9
    assert PACKAGED_MODEL.stat().st_size < 4_000_000
    assert math.isfinite(sum(one.verdict.confidence_score for one in told))
    assert {one.verdict.intent_label for one in told} == set(IntentLabel)
