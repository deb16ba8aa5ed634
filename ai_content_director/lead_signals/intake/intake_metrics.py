"""What the door counts, for /metrics. Labels come from closed sets, so that no sender can make a new one."""

from collections.abc import Sequence

from prometheus_client import Counter, Histogram

from lead_signals.intake.admit import Admission

DELIVERIES = Counter("lead_signals_deliveries", "Deliveries answered, by what the answer was", ["platform", "answer"])
ITEMS = Counter(
    "lead_signals_items", "Items of admitted deliveries; outcomes add up to what was received", ["platform", "outcome", "reason"]
)
UNKNOWN_PAGES = Counter("lead_signals_unknown_pages", "Parts of deliveries for Pages nobody connected, by their fate", ["platform", "fate"])
ADMIT_SECONDS = Histogram(
    "lead_signals_delivery_seconds",
    "Time from the whole body read to the answer",
    ["platform"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def count_admissions(platform: str, admissions: Sequence[Admission]) -> None:
    """Add what became of the items of one delivery."""
    for admission in admissions:
        ITEMS.labels(platform, "created", "").inc(admission.created)
        ITEMS.labels(platform, "updated", "").inc(admission.updated)
        ITEMS.labels(platform, "duplicate", "").inc(admission.duplicate)
        for reason, count in admission.ignored.items():
            ITEMS.labels(platform, "ignored", reason).inc(count)
        for reason, count in admission.quarantined.items():
            ITEMS.labels(platform, "quarantined", reason).inc(count)
