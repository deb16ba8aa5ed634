"""The API as the product runs it, `python -m lead_signals api --port …`, started for a bench and ended with it."""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from bench.bench_error import BenchError
from bench.free_port import free_port
from bench.product_process import ProductProcess


class ApiProcess(ProductProcess):
    """One process, and where it listens on loopback."""

    def __init__(self, environment: Mapping[str, str], log_path: Path) -> None:
        self.port = free_port()
        super().__init__(["api", "--port", str(self.port)], environment, log_path)

    def answers(self) -> bool:
        """Whether /health says ok."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        return False


@contextmanager
def api_processes(count: int, environment: Mapping[str, str], folder: Path) -> Iterator[list[ApiProcess]]:
    """So many API processes that answer; none of them is left after the block. Their logs lie in `folder`."""
    with ExitStack() as ending:
        processes = []
        for number in range(count):
            process = ApiProcess(environment, folder / f"api-{number}.log")
            ending.callback(process.end)
            processes.append(process)
        for process in processes:
            process.wait_until(process.answers)
        try:
            yield processes
        except BenchError as error:
            said = [process.end_of_log() for process in processes if not process.is_running()]
            raise BenchError("\n".join((str(error), *(f"The end of its log:\n{log}" for log in said)))) from None
