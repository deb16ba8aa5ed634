"""`lead-signals serve`: the whole product on one machine. PostgreSQL, API and worker are child processes, watched and ended in order.

Standard output is for the person at the terminal; the children's logs go to a file in the data directory, or to standard error when
the database is the operator's own.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lead_signals.database.addresses import DatabaseAddresses, configured_addresses
from lead_signals.database.embedded_database import addresses_in, default_data_directory, make_database
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import migrate, newest_revision, revision_of
from lead_signals.demo import send_demo
from lead_signals.end_with_parent import end_with_parent
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import Tenant, list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session
from lead_signals.welcome import welcome

WATCH_SECONDS = 0.25
START_SECONDS = 60.0
DRAIN_SECONDS = 20.0  # longer than the longest follow-up attempt (10 s)
RESTART_PAUSE_SECONDS = 1.0
LOG_LIMIT_BYTES = 10 * 1024 * 1024


class ServeError(Exception):
    """The product cannot start; the message says what was wrong and what to do."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was asked on the command line."""

    host: str
    port: int
    data_directory: Path | None
    empty: bool
    with_worker: bool


@dataclass(slots=True)
class Child:
    """One process of ours that must keep running. `process` is replaced at each restart."""

    name: str
    arguments: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Household:
    """The children, and what each is started with. Their logs share one file."""

    children: list[Child]
    environment: dict[str, str]
    log: IO[bytes]


def serve(settings: Settings, options: ServeOptions, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. `say` prints a line for the person at the terminal. Raises ServeError when it cannot start."""
    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    refuse_taken_port(options.host, options.port)
    with ExitStack() as closing:
        configured = configured_addresses(settings)
        server = None if configured else _start_embedded(options, closing, say)
        addresses = configured or addresses_in(_running(server))
        log = closing.enter_context(_open_log(server))
        _bring_up_to_date(settings, addresses, say)
        household = Household(_children(options), _environment(settings, addresses, options), log)
        closing.callback(_end, household, say)
        for child in household.children:
            _start(child, household)
        _wait_until_it_answers(household.children[0], options, stop)
        if not stop.is_set():
            _welcome(settings, options, addresses, say, log.name if server else None)
        _watch(household, server, stop, say)


def refuse_taken_port(host: str, port: int) -> None:
    """Raise ServeError when somebody else listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServeError(f"Port {port} on {host} cannot be used ({error.strerror}). Choose another with --port.") from None


def _start_embedded(options: ServeOptions, closing: ExitStack, say: Callable[[str], None]) -> EmbeddedServer:
    server = EmbeddedServer(options.data_directory or default_data_directory())
    say(f"PostgreSQL … {server.data_directory}")
    closing.callback(server.stop)
    server.start()
    make_database(server)
    return server


def _running(server: EmbeddedServer | None) -> EmbeddedServer:
    if server is None:
        raise ServeError("no database")
    return server


def _open_log(server: EmbeddedServer | None) -> IO[bytes]:
    if server is None:
        return os.fdopen(os.dup(sys.stderr.fileno()), "wb", buffering=0)
    path = server.data_directory / "lead-signals.log"
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab", buffering=0)


def _bring_up_to_date(settings: Settings, addresses: DatabaseAddresses, say: Callable[[str], None]) -> None:
    """In production somebody decides when to migrate (alembic upgrade head); at home it just happens."""
    if settings.app_env == "production" or asyncio.run(_revision(addresses)) == newest_revision():
        return
    say("Migrations …")
    migrate(addresses)


async def _revision(addresses: DatabaseAddresses) -> str | None:
    engine = app_engine(addresses.app, application_name="lead-signals serve", pool_size=1)
    try:
        async with engine.connect() as connection:
            return await revision_of(connection)
    except Exception:
        return None  # the roles are not there yet, or worse: migrating says what
    finally:
        await engine.dispose()


def _children(options: ServeOptions) -> list[Child]:
    api = Child("API", ["api", "--host", options.host, "--port", str(options.port)])
    return [api, Child("worker", ["worker"])] if options.with_worker else [api]


def _environment(settings: Settings, addresses: DatabaseAddresses, options: ServeOptions) -> dict[str, str]:
    environment = {**os.environ, "DATABASE_URL": addresses.app}
    environment.pop("DATABASE_URL_FILE", None)
    if settings.public_base_url is None:
        environment["PUBLIC_BASE_URL"] = base_url(options)
    return environment


def base_url(options: ServeOptions) -> str:
    """Where a browser on this machine finds us."""
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{options.port}" if ":" in host else f"http://{host}:{options.port}"


def _start(child: Child, household: Household) -> None:
    child.started_at = time.monotonic()
    child.process = subprocess.Popen(
        [sys.executable, "-m", "lead_signals", *child.arguments],
        env=household.environment,
        stdin=subprocess.DEVNULL,
        stdout=household.log,
        stderr=household.log,
        start_new_session=True,  # a Ctrl-C in the terminal reaches us alone; we end the children in order
        preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one call of an already loaded C function
        cwd=Path(__file__).resolve().parents[1],
    )


def _wait_until_it_answers(api: Child, options: ServeOptions, stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set():
        try:
            with urllib.request.urlopen(f"{base_url(options)}/health", timeout=5) as answer:  # noqa: S310 - our own address
                if answer.status == 200:
                    return
        except OSError:
            pass
        if api.process is None or api.process.poll() is not None:
            raise ServeError("The API ended while it started; its log says why.")
        if time.monotonic() > deadline:
            raise ServeError(f"The API did not answer within {START_SECONDS:.0f} s; its log says why.")
        stop.wait(0.02)


def _welcome(settings: Settings, options: ServeOptions, addresses: DatabaseAddresses, say: Callable[[str], None], log: object) -> None:
    tenants = asyncio.run(_tenants(addresses))
    if not tenants and settings.app_env == "local" and not options.empty:
        say("Demo …")
        key = None if settings.operator_api_key is None else settings.operator_api_key.get_secret_value()
        secrets = settings.facebook_app_secrets
        send_demo(base_url(options), operator_key=key, app_secret=secrets[0] if secrets else None, progress=lambda *_: None)
        tenants = asyncio.run(_tenants(addresses))
    log_path = None if log is None else str(log)
    say(welcome(base_url(options), tenants[0] if tenants else None, log_path=log_path, must_be_signed=bool(settings.facebook_app_secrets)))


async def _tenants(addresses: DatabaseAddresses) -> list[Tenant]:
    engine = app_engine(addresses.app, application_name="lead-signals serve", pool_size=1)
    try:
        async with across_tenants_session(engine) as session:
            return list(await list_tenants(session))
    finally:
        await engine.dispose()


def _watch(household: Household, server: EmbeddedServer | None, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Bring back what dies: PostgreSQL from its data, the API and the worker from nothing, since they keep nothing."""
    while not stop.wait(WATCH_SECONDS):
        if server is not None and not server.is_running():
            say("PostgreSQL ended; starting it again …")
            server.start()
        for child in household.children:
            if child.process is None or child.process.poll() is None or time.monotonic() - child.started_at < RESTART_PAUSE_SECONDS:
                continue
            say(f"The {child.name} ended (exit status {child.process.returncode}); starting it again …")
            _start(child, household)


def _end(household: Household, say: Callable[[str], None]) -> None:
    """The API first, so that nothing more is acknowledged; then the worker, which finishes what it holds."""
    say("Stopping …")
    for child in household.children:
        if child.process is None:
            continue
        child.process.terminate()
        try:
            child.process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
