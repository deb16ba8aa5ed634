"""The model's file: read when it is whole, refused with a sentence when it is not."""

import json
import math
from typing import Any

import pytest

from lead_signals.intent.statistics.statistical_model import MODEL_FORMAT, PACKAGED_MODEL, ModelError, Trust, packaged_model, read_model
from lead_signals.intent.verdict import IntentLabel

LABELS = [label.value for label in IntentLabel]
NOTHING = [0] * len(LABELS)


def a_model(**changed: Any) -> bytes:
    """A whole small model, with parts of it changed."""
    content = {
        "format": MODEL_FORMAT,
        "labels": LABELS,
        "bias": NOTHING,
        "words": {"gia": NOTHING, "=báo giá": NOTHING, "#phone": NOTHING},
        "voices": dict.fromkeys(LABELS, NOTHING),
        "winners": dict.fromkeys([*LABELS, ""], NOTHING),
        "trust": {"slope": 1.0, "offset": 0.0},
    }
    return json.dumps(content | changed).encode()


def test_a_whole_file_is_read() -> None:
    model = read_model(a_model())
    known = model.bare["gia"].alone
    assert known is not None
    assert (known.row, "giá" in model.typed["báo"].before) == (tuple(NOTHING), True)


def test_the_name_changes_with_any_byte() -> None:
    assert read_model(a_model()).name != read_model(a_model() + b" ").name


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x80\x04\x95pickled", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "expected format"),
        (a_model(format="another"), "expected format"),
        (a_model(labels=LABELS[:9]), "ten intents"),
        (a_model(labels=[*LABELS[:9], "greeting"]), "greeting"),
        (a_model(words={"gia": [0] * 9}), "10 whole numbers"),
        (a_model(words={"gia": [0.5] * 10}), "10 whole numbers"),
        (a_model(words={"gia": [True] * 10}), "10 whole numbers"),
        (a_model(words={"gia": [10**9] * 10}), "10 whole numbers"),
        (a_model(words=[]), "incomplete"),
        (a_model(bias=None), "incomplete"),
        (a_model(voices={}), "do not name the ten intents"),
        (a_model(winners=dict.fromkeys(LABELS, NOTHING)), "do not name the ten intents"),
        (a_model(trust={"slope": -1.0, "offset": 0.0}), "grow with the probability"),
        (a_model(trust={"slope": 1, "offset": 0.0}), "trust"),
        (a_model(trust={"slope": 1.0}), "trust"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        read_model(raw)


def test_the_packaged_file_is_whole_and_its_rows_add_up_to_nearly_zero() -> None:
    model = packaged_model()
    assert model.name == read_model(PACKAGED_MODEL.read_bytes()).name
    rows = [word.alone.row for word in model.bare.values() if word.alone is not None]
    assert len(rows) > 1000
    assert max(abs(sum(row)) for row in rows) <= len(LABELS)  # each weight was rounded


def test_trust_grows_with_the_probability_and_bears_the_extremes() -> None:
    trust = Trust(slope=0.8, offset=0.2)
    chances = [trust.chance(probability) for probability in (0.0, 1e-300, 0.2, 0.5, 0.9, 1.0)]
    assert chances == sorted(chances)
    assert all(0 < chance < 1 for chance in chances)
    assert trust.chance(0.5) == pytest.approx(1 / (1 + math.exp(-0.2)))
