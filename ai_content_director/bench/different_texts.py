"""Texts to measure by, all different, in piles: one warms up, and no other pile holds what was read before."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.bench_error import BenchError

SERVICE = Path(__file__).resolve().parents[1]
OWN_SENTENCES = SERVICE / "training" / "sentences"
REAL_MESSAGES = SERVICE.parents[1] / "shared" / "intent" / "unlabelled.jsonl"  # not ours to ship: measured where it lies beside


@dataclass(frozen=True, slots=True)
class DifferentTexts:
    """`warm_up` and each of `rounds` share no text."""

    name: str
    warm_up: Sequence[str]
    rounds: Sequence[Sequence[str]]


def own_sentences(rounds: int, most: int | None) -> DifferentTexts:
    """The sentences that the statistics were fitted on, all of them or `most` a round. Raises BenchError when there are none."""
    texts = (line.split("\t")[1] for file in sorted(OWN_SENTENCES.glob("*.tsv")) for line in _lines(file) if "\t" in line)
    return _piles("own sentences", texts, rounds, most)


def real_messages(rounds: int, most: int | None) -> DifferentTexts | None:
    """Real comments and reviews; None where they are not."""
    if not REAL_MESSAGES.is_file():
        return None
    return _piles("real messages", (orjson.loads(line)["text"] for line in _lines(REAL_MESSAGES) if line), rounds, most)


def _lines(file: Path) -> Iterator[str]:
    return (line.rstrip("\n") for line in file.open(encoding="utf-8"))


def _piles(name: str, texts: Iterable[str], rounds: int, most: int | None) -> DifferentTexts:
    """Dealt like cards, in an order that is the same each time and has nothing to do with what the texts say."""
    different = sorted(set(texts), key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    if len(different) < rounds + 1:
        raise BenchError(f"There are {len(different)} different texts for {rounds} rounds in {OWN_SENTENCES.relative_to(SERVICE)}.")
    piles = [different[number :: rounds + 1][:most] for number in range(rounds + 1)]
    return DifferentTexts(name, piles[0], piles[1:])
