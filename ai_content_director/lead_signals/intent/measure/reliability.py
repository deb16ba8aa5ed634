"""Whether a confidence keeps its word: of all texts said to be 80 % sure, are eight of ten right?"""

from collections.abc import Sequence
from dataclasses import dataclass

from lead_signals.intent.lane import STORED_DECIMALS

BINS = 10  # of equal width over 0..1, each with its lower edge; 1 belongs to the last


@dataclass(frozen=True, slots=True)
class Outcome:
    """How sure one verdict was (0..1), and whether it was right: acceptable (`lenient`) or the label itself (`strict`)."""

    confidence: float
    lenient: bool
    strict: bool


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The verdicts with a confidence from `low` up to, not including, `high`. Means are None where there is no verdict."""

    low: float
    high: float
    count: int
    confidence: float | None
    lenient_accuracy: float | None
    strict_accuracy: float | None


def reliability_bins(outcomes: Sequence[Outcome]) -> tuple[ReliabilityBin, ...]:
    """All ten bins, the empty ones too."""
    binned: list[list[Outcome]] = [[] for _ in range(BINS)]
    for one in outcomes:
        # On the stored decimals, as whole numbers: 0.7 belongs to the bin that begins with it, whatever binary makes of 0.7 * 10.
        stored = round(one.confidence * 10**STORED_DECIMALS)
        binned[min(stored * BINS // 10**STORED_DECIMALS, BINS - 1)].append(one)
    return tuple(_bin(number, inside) for number, inside in enumerate(binned))


def _bin(number: int, inside: Sequence[Outcome]) -> ReliabilityBin:
    count = len(inside)
    return ReliabilityBin(
        low=number / BINS,
        high=(number + 1) / BINS,
        count=count,
        confidence=sum(one.confidence for one in inside) / count if count else None,
        lenient_accuracy=sum(one.lenient for one in inside) / count if count else None,
        strict_accuracy=sum(one.strict for one in inside) / count if count else None,
    )


def expected_calibration_error(bins: Sequence[ReliabilityBin], *, strict: bool = False) -> float:
    """The mean distance of accuracy and confidence over the bins, weighted by their counts; 0 is perfect (Naeini et al., 2015)."""
    total = sum(one.count for one in bins)
    distance = 0.0
    for one in bins:
        accuracy = one.strict_accuracy if strict else one.lenient_accuracy
        if accuracy is not None and one.confidence is not None:
            distance += one.count / total * abs(accuracy - one.confidence)
    return distance


def brier_score(outcomes: Sequence[Outcome]) -> float:
    """The mean square of confidence less outcome (lenient: 1 or 0); 0 is perfect, always saying 0.5 gets 0.25 (Brier, 1950)."""
    return sum((one.confidence - one.lenient) ** 2 for one in outcomes) / len(outcomes)
