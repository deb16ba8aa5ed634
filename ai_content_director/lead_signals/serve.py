"""`lead-signals serve`: the whole product on one machine. PostgreSQL, API and worker are child processes, watched and ended in order.

Standard output is for the person at the terminal; the children's logs go to a file in the data directory, or to standard error when
the database is the operator's own.
"""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from lead_signals.database.addresses import DatabaseAddresses, configured_addresses
from lead_signals.database.embedded_database import addresses_in, default_data_directory, make_database
from lead_signals.database.embedded_server import EmbeddedServer
from lead_signals.database.engine import app_engine
from lead_signals.database.migrate import migrate, newest_revision, revision_of
from lead_signals.demo import DemoError, send_demo
from lead_signals.end_with_parent import end_with_parent
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant import Tenant, list_tenants
from lead_signals.tenancy.tenant_session import across_tenants_session
from lead_signals.welcome import welcome

WATCH_SECONDS = 0.25
START_SECONDS = 60.0
HEALTH_SECONDS = 5.0
DRAIN_SECONDS = 20.0  # longer than the longest follow-up attempt (10 s)
RESTART_PAUSE_SECONDS = 1.0
WAITING_CONNECTIONS = 2048  # held by the kernel while the API starts again
LOG_NAME = "lead-signals.log"


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
    inherits: tuple[int, ...] = ()
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
    with ExitStack() as ending_in_order:
        listener = ending_in_order.enter_context(listen(options.host, options.port))
        server = None
        addresses = configured_addresses(settings)
        if addresses is None:
            server = _start_embedded(options, ending_in_order, say)
            addresses = addresses_in(server)
        log = ending_in_order.enter_context(_open_log(server))
        bring_up_to_date(settings, addresses, say)
        household = Household(_children(options, listener), _environment(settings, addresses, options), log)
        ending_in_order.callback(_end, household, say)
        for child in household.children:
            _start(child, household)
        _wait_until_it_answers(household.children[0], options, stop)
        if not stop.is_set():
            _welcome(settings, options, addresses, say, server.data_directory / LOG_NAME if server else None)
        _watch(household, server, stop, say)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, for every API process we start: the port is ours from now on, and whoever answers on it is our child.

    Raises ServeError when somebody else listens there already.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # "::" is every address, 127.0.0.1 too
        listener.bind((host, port))
        listener.listen(WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise ServeError(f"Port {port} on {host} cannot be used ({error.strerror}). Choose another with --port.") from None
    return listener


def _start_embedded(options: ServeOptions, ending_in_order: ExitStack, say: Callable[[str], None]) -> EmbeddedServer:
    server = EmbeddedServer(options.data_directory or default_data_directory())
    say(f"PostgreSQL … {server.data_directory}")
    ending_in_order.callback(server.stop)
    server.start()
    make_database(server)
    return server


def _open_log(server: EmbeddedServer | None) -> IO[bytes]:
    if server is None:
        return os.fdopen(os.dup(sys.stderr.fileno()), "wb", buffering=0)
    return server.open_log(LOG_NAME)


def bring_up_to_date(settings: Settings, addresses: DatabaseAddresses, say: Callable[[str], None]) -> None:
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


def _children(options: ServeOptions, listener: socket.socket) -> list[Child]:
    api = Child("API", ["api", "--listener", str(listener.fileno())], inherits=(listener.fileno(),))
    return [api, Child("worker", ["worker"])] if options.with_worker else [api]


def _environment(settings: Settings, addresses: DatabaseAddresses, options: ServeOptions) -> dict[str, str]:
    environment = {**os.environ, "DATABASE_URL": addresses.app}
    environment.pop("DATABASE_URL_FILE", None)
    if settings.public_base_url is None:
        environment["PUBLIC_BASE_URL"] = base_url(options)
    return environment


def base_url(options: ServeOptions) -> str:
    """Where a browser on this machine finds us."""
    host = own_host(options)
    return f"http://[{host}]:{options.port}" if ":" in host else f"http://{host}:{options.port}"


def own_host(options: ServeOptions) -> str:
    """The address this machine reaches us at: all addresses (0.0.0.0 and ::) are no address to ask."""
    return "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host  # noqa: S104 - compared, not bound


def _start(child: Child, household: Household) -> None:
    child.started_at = time.monotonic()
    child.process = subprocess.Popen(
        [sys.executable, "-m", "lead_signals", *child.arguments],
        env=household.environment,
        stdin=subprocess.DEVNULL,
        stdout=household.log,
        stderr=household.log,
        pass_fds=child.inherits,
        start_new_session=True,  # a Ctrl-C in the terminal reaches us alone; we end the children in order
        preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one call of an already loaded C function
        cwd=Path(__file__).resolve().parents[1],
    )


def _wait_until_it_answers(api: Child, options: ServeOptions, stop: threading.Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set():
        if api.process is None or api.process.poll() is not None:
            raise ServeError("The API ended while it started; its log says why.")
        if _is_healthy(options):
            return
        if time.monotonic() > deadline:
            raise ServeError(f"The API did not answer within {START_SECONDS:.0f} s; its log says why.")
        stop.wait(0.02)


def _is_healthy(options: ServeOptions) -> bool:
    """Asked directly: a proxy that the environment names (http_proxy) does not know our loopback."""
    with (
        closing(http.client.HTTPConnection(own_host(options), options.port, timeout=HEALTH_SECONDS)) as connection,
        suppress(OSError, http.client.HTTPException),
    ):
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    return False


def _welcome(settings: Settings, options: ServeOptions, addresses: DatabaseAddresses, say: Callable[[str], None], log: Path | None) -> None:
    tenants = asyncio.run(_tenants(addresses))
    if not tenants and settings.app_env == "local" and not options.empty:
        say("Demo …")
        _send_demo(settings, options, say)
        tenants = asyncio.run(_tenants(addresses))
    log_path = None if log is None else str(log)
    must_be_signed, needs_key = bool(settings.webhook_secrets("facebook")), settings.operator_api_key is not None
    tenant = tenants[0] if tenants else None
    say(welcome(base_url(options), tenant, log_path=log_path, must_be_signed=must_be_signed, needs_key=needs_key))


def _send_demo(settings: Settings, options: ServeOptions, say: Callable[[str], None]) -> None:
    """The product runs without a demo too, so a failing one is told and forgotten."""
    key = None if settings.operator_api_key is None else settings.operator_api_key.get_secret_value()
    secrets = settings.webhook_secrets("facebook")
    try:
        send_demo(base_url(options), operator_key=key, app_secret=secrets[0] if secrets else None, progress=lambda *_: None)
    except (DemoError, httpx.HTTPError) as error:
        say(f"The demo was not taken ({error}). Send it again with lead-signals demo --url {base_url(options)}, or go on without it.")


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
    with suppress(BrokenPipeError):  # nobody reads us any more: the reason to end, not to leave children behind
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
