"""The statistical model: what weighs how much for which intent. Fitted elsewhere on sentences of our own; here it is only read.

The file is plain JSON with numbers, checked as it is read: no pickle, nothing in it can run. Weights are whole thousandths, so the
same file gives the same opinion on every machine.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from operator import add
from pathlib import Path
from typing import Any, Final

import orjson

from lead_signals.intent.statistics.opinion_features import TYPED
from lead_signals.intent.verdict import IntentLabel

MODEL_FORMAT = "lead-signals statistical model 1"
PACKAGED_MODEL = Path(__file__).parent / "statistical_model.json"
THOUSANDTHS: Final = 1000.0
LARGEST_WEIGHT: Final = 1_000_000
LEAST_PROBABILITY: Final = 1e-6
MOST_TRUST: Final = 10.0

# Ten weights ride in one whole number, 64 bits each, so that one addition adds ten: a text of 17 words takes 3 µs in place of 12.
LANE_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Weights:
    """What a word, a pair or a finding of the rules weighs for each intent, in the order of the model's labels, in thousandths of a logit.

    `packed` holds the same in one number, for adding.
    """

    row: tuple[int, ...]
    packed: int

    @classmethod
    def of(cls, row: tuple[int, ...]) -> "Weights":
        """From a row as it stands in the file."""
        return cls(row, sum(weight << (LANE_BITS * lane) for lane, weight in enumerate(row)))


@dataclass(slots=True)
class KnownWord:
    """A word the model knows: alone (or None), and with each word that may follow it."""

    alone: Weights | None = None
    before: dict[str, Weights] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trust:
    """From the probability of an intent to the chance that it is right: a line through the log-odds (Platt's scaling)."""

    slope: float
    offset: float

    def chance(self, probability: float) -> float:
        """The chance of being right, 0..1."""
        odds = math.log(max(probability, LEAST_PROBABILITY) / max(1.0 - probability, LEAST_PROBABILITY))
        return 1.0 / (1.0 + math.exp(-(self.slope * odds + self.offset)))


@dataclass(frozen=True, slots=True)
class StatisticalModel:
    """A model as it is used. `name` changes with any byte of the file.

    `bare` and `typed` are the words of `opinion_features`. `voices` say what it means that the rules give an intent all their
    weight, `unmoved` what is expected before any word is read, by the intent that won among the rules (None: nothing they found
    was clear). `trust` says how often such an
    opinion was right about people it was not fitted on.
    """

    name: str
    labels: tuple[IntentLabel, ...]
    bare: Mapping[str, KnownWord]
    typed: Mapping[str, KnownWord]
    voices: Mapping[IntentLabel, Weights]
    unmoved: Mapping[IntentLabel | None, tuple[int, ...]]
    trust: Trust


class ModelError(ValueError):
    """The file is no statistical model; the message says what is wrong with it."""


@cache
def packaged_model() -> StatisticalModel:
    """The model that comes with the product, read once per process. Raises ModelError when its file is broken."""
    return read_model(PACKAGED_MODEL.read_bytes())


def read_model(raw: bytes) -> StatisticalModel:
    """A model from the bytes of its file. Raises ModelError."""
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ModelError(f"not JSON ({error.msg} at line {error.lineno})") from None
    if not isinstance(content, dict) or content.get("format") != MODEL_FORMAT:
        raise ModelError(f"expected format {MODEL_FORMAT!r}")
    try:
        return _model(content, hashlib.sha256(raw).hexdigest()[:10])
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"incomplete: {error.__class__.__name__} {error}") from None
    except ModelError:
        raise
    except ValueError as error:
        raise ModelError(str(error)) from None


def _model(content: dict[str, Any], digest: str) -> StatisticalModel:
    labels = tuple(IntentLabel(label) for label in content["labels"])
    if sorted(labels) != sorted(IntentLabel):
        raise ModelError("its labels are not the ten intents, each once")
    _refuse_misfits(content, len(labels))
    bare, typed = _words(content["words"])
    return StatisticalModel(
        name=f"statistics-{digest}",
        labels=labels,
        bare=bare,
        typed=typed,
        voices={IntentLabel(label): _weights(row) for label, row in content["voices"].items()},
        unmoved={IntentLabel(label) if label else None: tuple(map(add, content["bias"], row)) for label, row in content["winners"].items()},
        trust=Trust(**content["trust"]),
    )


def _refuse_misfits(content: dict[str, Any], length: int) -> None:
    """Numbers of the right kind and size only: whoever adds them up may rely on it."""
    for row in chain([content["bias"]], *(content[part].values() for part in ("words", "voices", "winners"))):
        if len(row) != length or any(type(weight) is not int or abs(weight) > LARGEST_WEIGHT for weight in row):
            raise ModelError(f"a row of it does not hold {length} whole numbers up to {LARGEST_WEIGHT}")
    trust = content["trust"]
    if trust.keys() != {"slope", "offset"} or any(type(one) is not float or abs(one) > MOST_TRUST for one in trust.values()):
        raise ModelError(f"its trust is {trust!r}; expected slope and offset, numbers up to {MOST_TRUST}")
    if trust["slope"] <= 0:
        raise ModelError("its trust must grow with the probability")
    for part, also in (("voices", set[str]()), ("winners", {""})):
        if content[part].keys() != {label.value for label in IntentLabel} | also:
            raise ModelError(f"its {part} do not name the ten intents")


def _words(rows: Mapping[str, list[int]]) -> tuple[dict[str, KnownWord], dict[str, KnownWord]]:
    bare: dict[str, KnownWord] = {}
    typed: dict[str, KnownWord] = {}
    for name, row in rows.items():
        known, words = (typed, name.removeprefix(TYPED)) if name.startswith(TYPED) else (bare, name)
        first, _, second = words.partition(" ")
        word = known.setdefault(first, KnownWord())
        if second:
            word.before[second] = _weights(row)
        else:
            word.alone = _weights(row)
    return bare, typed


def _weights(row: list[int]) -> Weights:
    return Weights.of(tuple(row))
