"""The worker as the product runs it, `python -m lead_signals worker`, started for a bench and ended with it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.product_process import ProductProcess


@contextmanager
def worker_processes(count: int, environment: Mapping[str, str], folder: Path) -> Iterator[list[ProductProcess]]:
    """So many workers that work; they have ended in order after the block. Their logs lie in `folder`."""
    with ExitStack() as ending:
        processes = []
        for number in range(count):
            process = ProductProcess(["worker"], environment, folder / f"worker-{number}.log")
            ending.callback(process.end)
            processes.append(process)
        for process in processes:
            process.wait_until(lambda process=process: process.has_logged(b"worker_started"))  # type: ignore[misc]
        yield processes
