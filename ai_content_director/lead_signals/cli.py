"""The operator's door: `lead-signals COMMAND`. Assembles and prints; what is done lies in the slices.

Imports stand in the commands, so that `--help` and `classify` do not wait for the web framework.
"""

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import click

from lead_signals import __version__
from lead_signals.cli_channels import channels
from lead_signals.cli_followups import followups
from lead_signals.cli_intent import classify, evaluate, explain
from lead_signals.cli_keys import keys
from lead_signals.cli_opinions import opinions
from lead_signals.cli_replay import replay
from lead_signals.cli_rules import rules
from lead_signals.mendable_errors import one_clear_sentence, settings_or_sentence
from lead_signals.settings import Settings

CONNECTIONS_AT_ONCE = 1000  # of one API process; above, 503
OPEN_FILES = 4096
STARTUP_FAILED = 3  # as uvicorn's own command ends


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lead-signals")
def cli() -> None:
    """Lead Signals: comments and messages of Facebook, Instagram, WhatsApp, Zalo and TikTok in, leads in the right human lane out.

    \b
    Start here:   lead-signals serve
    Is it well?   lead-signals doctor
    Why so?       lead-signals explain "Cho tôi báo giá gói Enterprise"

    Settings come from the environment; .env.example lists them all.
    """
    from lead_signals.log_context import configure_logging

    configure_logging("WARNING")  # to stderr: what a command prints stays its own; servers say more, see `worker` and `api`


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port of the API and the console.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 inside a container.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Where the embedded PostgreSQL keeps its data and the log lies."
)
@click.option("--empty", is_flag=True, help="No demo tenant on an empty database.")
@click.option("--no-worker", is_flag=True, help="API and console only; all other work waits for a `lead-signals worker`.")
def serve(port: int, host: str, data_dir: Path | None, empty: bool, no_worker: bool) -> None:
    """Run everything on this machine: PostgreSQL, API, console, worker.

    With DATABASE_URL set, that server is used and nothing is embedded. Ctrl-C stops it all.
    """
    from lead_signals.serve import ServeOptions
    from lead_signals.serve import serve as run

    settings = settings_or_sentence()
    options = ServeOptions(host=host, port=port, data_directory=data_dir, empty=empty, with_worker=not no_worker)
    with one_clear_sentence():
        if settings.database_url is not None and no_worker and empty:
            _serve_api_alone(settings, options.host, options.port)
        else:
            run(settings, options, click.echo)


cli.add_command(channels)
cli.add_command(classify)
cli.add_command(evaluate)
cli.add_command(explain)
cli.add_command(followups)
cli.add_command(keys)
cli.add_command(opinions)
cli.add_command(replay)
cli.add_command(rules)


@cli.command(hidden=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000)
@click.option("--host", default="127.0.0.1")
@click.option("--listener", type=click.IntRange(min=3), help="Inherited socket (a file descriptor) to accept on, instead of host and port.")
def api(port: int, host: str, listener: int | None) -> None:
    """One API process (a child of `serve`)."""
    with one_clear_sentence():
        _run_api(settings_or_sentence(), host, port, listener)


@cli.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="The embedded PostgreSQL of a running `serve`.")
@click.option(
    "--lease-seconds",
    type=click.FloatRange(3, 300),
    default=20.0,
    show_default=True,
    help="How long a killed worker's work waits for the next.",
)
def worker(data_dir: Path | None, lease_seconds: float) -> None:
    """Do what is owed: follow-ups to n8n, and the work around leads. Run as many as you like, on as many machines.

    It also asks a language model about unclear leads (with LEAD_CLASSIFY_USE_LLM), looks up lead forms and senders' names, checks the
    channels' tokens and subscriptions, watches for silent channels, reads deliveries kept from before their channel was connected, and
    empties receipts that are too old.
    """
    import asyncio

    from lead_signals.database.embedded_database import database_of
    from lead_signals.log_context import configure_logging
    from lead_signals.worker import run_worker

    settings = settings_or_sentence()
    configure_logging(settings.log_level)
    with one_clear_sentence(), database_of(settings, data_dir, must_run=True) as addresses:
        _allow_open_files()
        asyncio.run(run_worker(addresses.app, settings, lease_seconds=lease_seconds))


@cli.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL.")
def migrate(data_dir: Path | None) -> None:
    """Bring the database to the newest revision (the same as `alembic upgrade head`)."""
    from lead_signals.database.embedded_database import database_of
    from lead_signals.database.migrate import migrate as run
    from lead_signals.database.migrate import newest_revision

    with one_clear_sentence(), database_of(settings_or_sentence(), data_dir) as addresses:
        run(addresses)
    click.echo(f"The database is at {newest_revision()}.")


@cli.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Data directory of the embedded PostgreSQL.")
def doctor(data_dir: Path | None) -> None:
    """What is configured, what is missing, what is unhealthy. Exit status 1 when something needs a hand."""
    from lead_signals.health.doctor import examine

    with one_clear_sentence():
        diagnosis = examine(data_dir)
    for line in diagnosis.lines:
        click.echo(line)
    sys.exit(0 if diagnosis.well else 1)


@cli.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="A running server.")
def demo(url: str) -> None:
    """Onboard a demo tenant on a running server and send it sample comments."""
    import httpx

    from lead_signals.demo import DemoError, send_demo

    settings = settings_or_sentence()
    key = None if settings.operator_api_key is None else settings.operator_api_key.get_secret_value()
    secrets = settings.webhook_secrets("facebook")
    with click.progressbar(length=100, label="Comments", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        try:
            sent = send_demo(
                url,
                operator_key=key,
                app_secret=secrets[0] if secrets else None,
                progress=lambda at, of: bar.update(100 * at // of - bar.pos),
            )
        except (DemoError, httpx.HTTPError) as error:
            raise click.ClickException(f"{url}: {error}. Is a server running there? Start one with bin/serve.") from None
    click.echo(f"{sent.created} leads of {sent.comments} comments. Console: {url}/?tenant_id={sent.tenant_id}")


def _serve_api_alone(settings: Settings, host: str, port: int) -> None:
    """What a container runs: one process, no supervisor above it."""
    from lead_signals.database.addresses import configured_addresses
    from lead_signals.serve import bring_up_to_date

    addresses = configured_addresses(settings)
    if addresses is not None:
        bring_up_to_date(settings, addresses, partial(click.echo, err=True))
    _run_api(settings, host, port)


def _run_api(settings: Settings, host: str, port: int, listener: int | None = None) -> None:
    import socket

    import uvicorn

    from lead_signals.http_app import make_app
    from lead_signals.log_context import configure_logging

    if settings.database_url is None:
        raise click.ClickException("DATABASE_URL is not set: start `lead-signals serve`, which brings a database along.")
    configure_logging(settings.log_level)
    _allow_open_files()
    config = uvicorn.Config(
        make_app(settings.database_url.get_secret_value(), settings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client was, or by which scheme it came
        timeout_keep_alive=30,
        timeout_graceful_shutdown=15,
        limit_concurrency=CONNECTIONS_AT_ONCE,
        h11_max_incomplete_event_size=16 * 1024,
    )
    server = uvicorn.Server(config)
    _leave_the_program_to_itself()
    # Not by uvicorn's `fd`: it takes every inherited socket for a Unix one, and asyncio then leaves TCP_NODELAY off.
    with suppress(KeyboardInterrupt):  # uvicorn stops in order at a Ctrl-C, and raises it again
        server.run(sockets=None if listener is None else [socket.socket(fileno=listener)])
    if not server.started:
        sys.exit(STARTUP_FAILED)


def _leave_the_program_to_itself() -> None:
    """What is loaded now, the rules among it, lives as long as the process: the garbage collector need not walk through it again and
    again, which it did for a tenth of a second at a time, in the middle of somebody's delivery."""
    import gc

    from lead_signals.intent.classify import classify

    classify("0900000000")  # reads the rules and the numbering plan now, and not under the first delivery
    gc.collect()
    gc.freeze()


def _allow_open_files() -> None:
    """Each connection is an open file: the usual limit of 1024 would be met before ours, and then nobody is even refused."""
    import resource

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
