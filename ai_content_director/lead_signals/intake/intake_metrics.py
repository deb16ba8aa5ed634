"""What the door counts, for /metrics. Labels come from closed sets, so that no sender can make a new one."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from lead_signals.intake.admission import Admission

# Else each counter and histogram brings a second series: when it began, which nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not annotate it

DELIVERIES = Counter("lead_signals_deliveries", "Deliveries answered, by what the answer was", ["platform", "answer"])
ITEMS = Counter(
    "lead_signals_items", "Items of admitted deliveries; outcomes add up to what was received", ["platform", "outcome", "reason"]
)
ITEMS_RECEIVED = Counter("lead_signals_items_received", "Items of admitted deliveries, as they came", ["platform"])
UNKNOWN_PAGES = Counter("lead_signals_unknown_pages", "Parts of deliveries for Pages nobody connected, by their fate", ["platform", "fate"])
ADMIT_SECONDS = Histogram(
    "lead_signals_delivery_seconds",
    "Time from the whole body read to the answer",
    ["platform"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
GROUP_SIZE = Histogram(
    "lead_signals_group_deliveries", "Deliveries that shared one transaction", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
WAITING_DELIVERIES = Gauge("lead_signals_waiting_deliveries", "Deliveries that wait for a transaction in this process")


def count_admissions(platform: str, admissions: Sequence[Admission]) -> None:
    """Add what became of the items of one delivery."""
    for admission in admissions:
        ITEMS_RECEIVED.labels(platform).inc(admission.received)
        ITEMS.labels(platform, "created", "").inc(admission.created)
        ITEMS.labels(platform, "updated", "").inc(admission.updated)
        ITEMS.labels(platform, "duplicate", "").inc(admission.duplicate)
        for reason, count in admission.ignored.items():
            ITEMS.labels(platform, "ignored", reason).inc(count)
        for reason, count in admission.quarantined.items():
            ITEMS.labels(platform, "quarantined", reason).inc(count)
