"""What the engine costs before its first message: run as a process of its own, it prints one JSON line and ends."""

import json
import os
import sys
import time

from bench.process_usage import memory_of


def load_engine() -> dict[str, float | None]:
    """Seconds and KiB of each step, in the order in which a fresh process takes them. KiB are None where /proc does not tell."""
    resident = [_resident()]
    moments = [time.perf_counter()]
    from lead_signals.intent.classify import judge  # noqa: PLC0415 - importing it is what is measured

    for step in (None, False, True):
        if step is not None:
            judge("0900000000", ask_statistics=step)
        moments.append(time.perf_counter())
        resident.append(_resident())
    steps = ("import", "rules", "statistics")
    found: dict[str, float | None] = {f"{name}_seconds": moments[at + 1] - moments[at] for at, name in enumerate(steps)}
    for at, name in enumerate(steps):
        before, after = resident[at], resident[at + 1]
        found[f"{name}_kib"] = None if before is None or after is None else after - before
    return found


def _resident() -> int | None:
    memory = memory_of(os.getpid())
    return None if memory is None else memory.resident


if __name__ == "__main__":
    sys.stdout.write(json.dumps(load_engine()))
