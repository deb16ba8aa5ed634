"""What a run of the intent bench found out, as plain values that become a table or JSON."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bench.answers import percentile
from bench.machine import Machine


class Reader(StrEnum):
    """Who reads the texts."""

    NAIVE = "naive_keywords"
    RULES = "rules_alone"
    WHOLE = "whole_chain"


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """One reader on one set of texts. Rates and ratios are medians over the rounds, durations are of all messages of all rounds.

    `times_naive`: how many times as long as the naive list it took for the same texts in the same round.
    """

    reader: Reader
    texts: str
    messages: int
    per_second: float
    slowest_round: float
    fastest_round: float
    p50_us: float
    p99_us: float
    max_us: float
    times_naive: float


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """Medians over some fresh processes, each step on top of the one before. KiB are None where /proc does not tell."""

    import_seconds: float
    rules_seconds: float
    statistics_seconds: float
    import_kib: float | None
    rules_kib: float | None
    statistics_kib: float | None


@dataclass(frozen=True, slots=True)
class IntentResult:
    """Everything of one run. `load_before` and `load_after`: how many processes wanted a core, over a minute."""

    measured_at: datetime
    took_seconds: float
    rounds: int
    machine: Machine
    rule_pack: str
    rules: int
    keywords: int
    load_before: float
    load_after: float
    lines: Sequence[ReadTexts]
    engine: LoadedEngine


def read_texts(reader: Reader, texts: str, rounds: Sequence[Sequence[int]], naive: Sequence[Sequence[int]]) -> ReadTexts:
    """From the nanoseconds of each message of each round, and those of the naive list for the same texts."""
    spent = [sum(one) for one in rounds]
    rates = [len(one) / nanoseconds * 1e9 for one, nanoseconds in zip(rounds, spent, strict=True)]
    durations = sorted(duration for one in rounds for duration in one)
    return ReadTexts(
        reader=reader,
        texts=texts,
        messages=len(durations),
        per_second=statistics.median(rates),
        slowest_round=min(rates),
        fastest_round=max(rates),
        p50_us=(percentile(durations, 50) or 0) / 1000,
        p99_us=(percentile(durations, 99) or 0) / 1000,
        max_us=durations[-1] / 1000,
        times_naive=statistics.median(ours / sum(theirs) for ours, theirs in zip(spent, naive, strict=True)),
    )
