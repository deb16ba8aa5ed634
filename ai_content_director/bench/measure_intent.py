"""How many messages a second one process understands, beside what a naive keyword list does with the same texts in the same minute."""

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.bench_error import BenchError
from bench.different_texts import SERVICE, DifferentTexts, own_sentences, real_messages
from bench.intent_result import IntentResult, LoadedEngine, Reader, ReadTexts, read_texts
from bench.machine import this_machine
from bench.naive_keywords import KEYWORDS, naive_keywords
from lead_signals import clock
from lead_signals.intent.classify import classify, judge
from lead_signals.intent.pack.rule_pack import packaged_rule_pack

Say = Callable[[str], None]
_READERS: Mapping[Reader, Callable[[str], object]] = {
    Reader.NAIVE: naive_keywords,
    Reader.RULES: partial(judge, ask_statistics=False),
    Reader.WHOLE: classify,
}
_OURS = (Reader.RULES, Reader.WHOLE)


@dataclass(frozen=True, slots=True)
class IntentOptions:
    """`rounds` of each reader, `most` texts a round (None: as many as there are), `loads` fresh processes that load the engine."""

    rounds: int = 7
    most: int | None = None
    loads: int = 5


def measure_intent(options: IntentOptions, say: Say) -> IntentResult:
    """Everything, one after the other, in this process. `say` takes a line of progress. Raises BenchError."""
    began, load_before = time.monotonic(), os.getloadavg()[0]
    say(f"Loading the engine in {options.loads} fresh processes …")
    engine = _loaded_engine(options.loads)
    piles = options.rounds * len(_OURS)
    sets = [one for one in (own_sentences(piles, options.most), real_messages(piles, options.most)) if one is not None]
    with tempfile.TemporaryDirectory(prefix="ls-") as folder, _garbage_as_in_production():
        machine = this_machine(Path(folder), seconds=0.05)
        lines = [line for texts in sets for line in _measure(texts, say)]
    return IntentResult(
        measured_at=clock.now(),
        took_seconds=time.monotonic() - began,
        rounds=options.rounds,
        machine=machine,
        rule_pack=classify("").rule_pack,
        rules=len(packaged_rule_pack().rules),
        keywords=sum(len(keywords) for _, _, keywords in KEYWORDS),
        load_before=load_before,
        load_after=os.getloadavg()[0],
        lines=lines,
        engine=engine,
    )


def _loaded_engine(loads: int) -> LoadedEngine:
    """Each in a process of its own: a module is imported only once."""
    found = []
    for _ in range(loads):
        ended = subprocess.run([sys.executable, "-m", "bench.load_engine"], cwd=SERVICE, capture_output=True, check=False)
        if ended.returncode != 0:
            raise BenchError(f"The engine does not load:\n{ended.stderr.decode(errors='replace')[-2000:]}")
        found.append(json.loads(ended.stdout))
    return LoadedEngine(
        import_seconds=statistics.median(one["import_seconds"] for one in found),
        rules_seconds=statistics.median(one["rules_seconds"] for one in found),
        statistics_seconds=statistics.median(one["statistics_seconds"] for one in found),
        import_kib=_median_if_known([one["import_kib"] for one in found]),
        rules_kib=_median_if_known([one["rules_kib"] for one in found]),
        statistics_kib=_median_if_known([one["statistics_kib"] for one in found]),
    )


def _median_if_known(sizes: Sequence[float | None]) -> float | None:
    known = [size for size in sizes if size is not None]
    return statistics.median(known) if known else None


@contextmanager
def _garbage_as_in_production() -> Iterator[None]:
    """The API freezes what lives as long as the process, and collects what comes after it; so do we."""
    classify("0900000000")
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _measure(texts: DifferentTexts, say: Say) -> list[ReadTexts]:
    """Each of our readers gets piles of its own, for words that one has met are no longer new to the other; the naive list, which
    remembers nothing, reads them all."""
    for read in _READERS.values():
        _nanoseconds(read, texts.warm_up)
    ours: dict[Reader, list[list[int]]] = {reader: [] for reader in _OURS}
    naive: dict[Reader, list[list[int]]] = {reader: [] for reader in _OURS}
    for number, pile in enumerate(texts.rounds):
        reader = _OURS[number % len(_OURS)]
        say(f"{texts.name}, {reader.value}, round {number // len(_OURS) + 1}, {len(pile):,} messages …")
        naive[reader].append(_nanoseconds(_READERS[Reader.NAIVE], pile))
        ours[reader].append(_nanoseconds(_READERS[reader], pile))
    by_list = [one for reader in _OURS for one in naive[reader]]
    return [
        read_texts(Reader.NAIVE, texts.name, by_list, by_list),
        *(read_texts(reader, texts.name, ours[reader], naive[reader]) for reader in _OURS),
    ]


def _nanoseconds(read: Callable[[str], object], pile: Sequence[str]) -> list[int]:
    """Of each message; the clock itself costs some fifty of them, which make the naive list look a little slower than it is."""
    spent = []
    now = time.perf_counter_ns
    for text in pile:
        began = now()
        read(text)
        spent.append(now() - began)
    return spent
