"""The sentences: lines of `label<TAB>text`, or `label<TAB>text<TAB>other,labels` where somebody else might label it so."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lead_signals.intent.verdict import IntentLabel

SENTENCES = Path(__file__).parent / "sentences"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence somebody might write. `author` is the file it stands in: one person's ear for one world."""

    text: str
    label: IntentLabel
    acceptable: tuple[IntentLabel, ...]
    author: str


class SentenceError(ValueError):
    """A line that is no sentence; names file, line and reason."""


def read_sentences(folder: Path = SENTENCES) -> list[Sentence]:
    """All sentences, by file and line. Raises SentenceError.

    A text may stand under two intents in two files: two people heard it differently, and the model learns to be unsure of it.
    """
    sentences = [
        _read(line, f"{file.name}:{number}", file.stem)
        for file in sorted(folder.glob("*.tsv"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    ]
    return list({(sentence.text, sentence.label): sentence for sentence in sentences}.values())


def _read(line: str, place: str, author: str) -> Sentence:
    fields = line.split("\t")
    if len(fields) not in (2, 3) or not fields[1].strip():
        raise SentenceError(f"{place}: expected label<TAB>text, or label<TAB>text<TAB>other labels")
    try:
        others = fields[2].split(",") if len(fields) == 3 else []
        return Sentence(fields[1].strip(), IntentLabel(fields[0]), tuple(IntentLabel(other.strip()) for other in others), author)
    except ValueError as error:
        raise SentenceError(f"{place}: {error}") from None


def without_diacritics(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Every second sentence as it is typed by who leaves the diacritics out; which ones follows from the text alone."""
    bare = [
        (sentence, without_marks(sentence.text)) for sentence in sentences if hashlib.sha256(sentence.text.encode()).digest()[0] % 2 == 0
    ]
    return [Sentence(text, sentence.label, sentence.acceptable, sentence.author) for sentence, text in bare if text != sentence.text]


def without_marks(text: str) -> str:
    """The text without any diacritics."""
    letters = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in letters if not unicodedata.combining(sign)).replace("đ", "d").replace("Đ", "D")
