"""The sentences the statistics are fitted on: whole, varied, and apart from everything that measures."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import yaml

from lead_signals.intent.verdict import IntentLabel
from tests.conftest import SHARED
from training.sentences import Sentence, SentenceError, read_sentences, without_diacritics, without_marks

INTENT_TESTS = Path(__file__).parents[1] / "intent"


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    return read_sentences()


def test_there_are_thousands_for_all_labels(sentences: list[Sentence]) -> None:
    of = Counter(one.label for one in sentences)
    assert len(sentences) > 15_000
    assert min(of[label] for label in IntentLabel) > 500


def test_a_fifth_is_typed_without_diacritics(sentences: list[Sentence]) -> None:
    bare = sum(without_marks(one.text) == one.text for one in sentences)
    assert bare >= 0.15 * len(sentences)


def test_none_of_them_measures_us(sentences: list[Sentence]) -> None:
    measuring = [json.loads(line)["text"] for line in (INTENT_TESTS / "business_messages.jsonl").read_text(encoding="utf-8").splitlines()]
    corpus = yaml.safe_load((INTENT_TESTS / "business_sentences.yaml").read_text(encoding="utf-8"))
    measuring += [text for texts in corpus.values() for text in texts]
    assert not {letters(one.text) for one in sentences} & ({letters(text) for text in measuring} - {""})


def test_none_of_them_is_a_message_of_the_labelled_set(sentences: list[Sentence]) -> None:
    file = SHARED / "intent" / "dev.jsonl"
    if not file.is_file():
        pytest.skip(f"no labelled messages at {file}")
    measuring = {letters(json.loads(line)["text"]) for line in file.read_text(encoding="utf-8").splitlines()} - {""}
    assert not {letters(one.text) for one in sentences} & measuring


def letters(text: str) -> str:
    """What is left when nobody can tell how it was typed."""
    return " ".join(re.sub(r"[^\w\s]", " ", without_marks(unicodedata.normalize("NFC", text).lower())).split())


def test_every_second_one_has_a_twin_without_diacritics(sentences: list[Sentence]) -> None:
    twins = without_diacritics(sentences[:200])
    originals = {without_marks(one.text): one for one in sentences[:200]}
    assert 40 < len(twins) < 160
    for twin in twins:
        assert twin.label in {one.label for one in sentences if without_marks(one.text) == twin.text}
        assert originals[twin.text].text != twin.text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("inquiry", "expected label<TAB>text"),
        ("inquiry\t \t", "expected label<TAB>text"),
        ("greeting\tchào shop", "greeting"),
        ("inquiry\tcòn hàng không\tprice", "price"),
        ("inquiry\ta\tthanks\tthanks", "expected label<TAB>text"),
    ],
)
def test_a_broken_line_is_told_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "own.tsv").write_text(f"thanks\tcảm ơn\n{line}\n", encoding="utf-8")
    with pytest.raises(SentenceError, match=rf"own\.tsv:2: .*{re.escape(reason)}"):
        read_sentences(tmp_path)
