"""The measure on real, labelled messages. They are not ours to ship: without them beside the repository, only own sentences measure."""

from pathlib import Path

import pytest

from lead_signals.intent.classify import judge
from lead_signals.intent.measure.evaluate import evaluate
from lead_signals.intent.measure.evaluation import Evaluation
from lead_signals.intent.measure.labelled_message import LabelledMessage, read_labelled_messages

MESSAGES = Path(__file__).parents[4] / "shared" / "intent" / "dev.jsonl"


@pytest.fixture(scope="module")
def measured() -> Evaluation:
    if not MESSAGES.is_file():
        pytest.skip(f"no labelled messages at {MESSAGES}; test_classify measures on own sentences")
    return evaluate([one for one in read_labelled_messages(MESSAGES.open("rb")) if isinstance(one, LabelledMessage)], judge)


def test_messages_are_read_as_people_read_them(measured: Evaluation) -> None:
    assert (measured.macro_f1 or 0) >= 0.85
    assert measured.lenient_accuracy >= 0.90


def test_what_goes_out_by_itself_is_nearly_always_right(measured: Evaluation) -> None:
    automatic = measured.lanes["auto"]
    assert (automatic.lenient_precision or 0) >= 0.97
    assert automatic.coverage >= 0.60


def test_the_confidence_keeps_its_word(measured: Evaluation) -> None:
    assert measured.ece <= 0.05


def test_phones_are_found_where_people_saw_one(measured: Evaluation) -> None:
    assert measured.phones is not None
    assert (measured.phones.precision, measured.phones.recall) == (1.0, 1.0)
