"""The Dockerfile's own steps in a bare Debian tree, and the image they make, started and used as compose would."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.deployment.bare_tree.bare_debian import codename_of, unpack_debian
from tests.deployment.bare_tree.build_image import Builder, Image, build_image
from tests.deployment.bare_tree.inside import InsideError, Place, last_lines, run_inside, start_inside, still_inside, stop_group
from tests.deployment.bare_tree.isolation import lent, own_network, read_only
from tests.deployment.bare_tree.postgres_beside import postgres_beside
from tests.deployment.bare_tree.proof import Proof
from tests.deployment.bare_tree.runbook_calls import body_of, make_runbook_calls, status_of, wait_until

ADDRESS = "http://127.0.0.1:8000"
ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DATABASE = "lead_signals_admin", "administratorword", "lead_signals"
APP_URL = f"postgresql://lead_signals_app:appword@127.0.0.1:5432/{DATABASE}"
OWNER_URL = f"postgresql://{ADMINISTRATOR}:{ADMINISTRATOR_PASSWORD}@127.0.0.1:5432/{DATABASE}"
META_SECRET, OPERATOR_KEY = "invented-meta-secret", "invented-operator-key"
# The environments and commands of the compose files.
LAPTOP = {"APP_ENV": "local", "DATABASE_URL": APP_URL}
PRODUCTION = {
    "APP_ENV": "production",
    "DATABASE_URL": APP_URL,
    "FACEBOOK_APP_SECRET": META_SECRET,
    "FACEBOOK_VERIFY_TOKEN": "invented-verify-token",
    "OPERATOR_API_KEY": OPERATOR_KEY,
}
MIGRATING = {"DATABASE_OWNER_URL": OWNER_URL}
NEEDED_IN_PRODUCTION = ("DATABASE_URL", "FACEBOOK_APP_SECRET", "FACEBOOK_VERIFY_TOKEN", "OPERATOR_API_KEY")
SERVE = ["lead-signals", "serve", "--no-worker", "--empty", "--host", "0.0.0.0", "--port", "8000"]
PRODUCTION_COMMAND = ["env", "--unset=DATABASE_OWNER_URL", *SERVE]
WORKER = ["lead-signals", "worker"]
WORKER_CHECK = ["python", "-m", "lead_signals.health.this_worker_beats"]


def prove_image(proof: Proof) -> None:
    """Build, migrate, start, ask, use, stop. Raises at the first thing that is not as promised."""

    def unpack_ground(ground: str, tree: Path) -> None:
        unpack_debian(proof, codename_of(ground), tree)

    image = build_image(Builder(proof.repository / "ai_content_director", unpack_ground, proof))
    size = subprocess.run(["du", "--summarize", "--block-size=M", str(image.tree)], capture_output=True, text=True, check=True).stdout
    proof.progress.say(f"the image's files take {size.split()[0]}")
    with ExitStack() as stack:
        with proof.progress.step("a network of its own, a read-only tree"):
            own_network()
            stack.enter_context(lent(image.tree, {}))
            stack.enter_context(read_only(image.tree))
        with _database(proof):
            _use_on_a_laptop(proof, image)
        with _database(proof):
            _use_in_production(proof, image)
    with proof.progress.step("nothing was left running"):
        left = still_inside(image.tree)
        if left:
            raise InsideError(f"processes outlived the stop: {left}")


@contextmanager
def _database(proof: Proof) -> Iterator[None]:
    """An empty PostgreSQL, as the postgres service is at its first start."""
    with ExitStack() as stack:
        with proof.progress.step("an empty PostgreSQL"):
            version = stack.enter_context(postgres_beside(proof.repository, ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DATABASE))
        proof.progress.say(version)
        yield


def _use_on_a_laptop(proof: Proof, image: Image) -> None:
    """`docker compose up -d` and nothing else: the api migrates, then the runbook's calls and its other commands."""
    step = proof.progress.step
    with (
        _running(proof, image, "api", image.command, LAPTOP | MIGRATING) as api,
        _running(proof, image, "worker", WORKER, LAPTOP) as worker,
    ):
        with step("laptop: the image's health check"):
            _wait_for_check(image, image.healthcheck, LAPTOP, api)
        with step("laptop: GET /ready says ready"):
            wait_until("it says so", _ready, lambda: worker.poll() is None, timeout_seconds=60)
        with step("laptop: the worker's health check"):
            _wait_for_check(image, WORKER_CHECK, LAPTOP, worker)
        with step("laptop: the runbook's calls"):
            make_runbook_calls(ADDRESS)
    with step("laptop: run --rm api alembic downgrade -1, and upgrade head again"):
        _run(image, LAPTOP | MIGRATING, ["alembic", "downgrade", "-1"])
        _run(image, LAPTOP | MIGRATING, ["alembic", "upgrade", "head"])


def _use_in_production(proof: Proof, image: Image) -> None:
    """`up -d` on an empty database, then `run --rm api alembic upgrade head`, as the runbook has it."""
    step = proof.progress.step
    with step("production without its secrets is refused, each one named"):
        _refused(image)
    api_environment = PRODUCTION | MIGRATING
    with (
        _running(proof, image, "api", PRODUCTION_COMMAND, api_environment) as api,
        _running(proof, image, "worker", WORKER, PRODUCTION) as worker,
    ):
        with step("production: the api is up before the first migration, and says that it is not ready"):
            _wait_for_check(image, image.healthcheck, PRODUCTION, api)
            if status_of(f"{ADDRESS}/ready") != 503:
                raise InsideError(f"/ready answered {status_of(f'{ADDRESS}/ready')} before the first migration, expected 503")
        with step("production: the running server does not have the administrator's password"):
            if ADMINISTRATOR_PASSWORD.encode() in Path(f"/proc/{api.pid}/environ").read_bytes():
                raise InsideError("it stands in the environment of the server's process")
        with step("production: run --rm api alembic upgrade head"):
            _run(image, api_environment, ["alembic", "upgrade", "head"])
        with step("production: the worker that waited goes to work, /ready says ready"):
            wait_until("it says so", _ready, lambda: worker.poll() is None, timeout_seconds=60)
            _wait_for_check(image, WORKER_CHECK, PRODUCTION, worker)
        with step("production: no key, no signature, no entry"):
            for path, expected in (("/onboarding", 401), ("/webhooks/facebook", 401)):
                answered = status_of(f"{ADDRESS}{path}", body=b"{}")
                if answered != expected:
                    raise InsideError(f"POST {path} answered {answered}, expected {expected}")
        with step("production: the runbook's calls, with key and signature"):
            make_runbook_calls(ADDRESS, operator_key=OPERATOR_KEY, app_secret=META_SECRET)


def _wait_for_check(image: Image, check: Sequence[str], environment: Mapping[str, str], process: "subprocess.Popen[bytes]") -> None:
    def passes() -> bool:
        try:
            _run(image, environment, check)
        except InsideError:
            return False
        return True

    wait_until("it passes", passes, lambda: process.poll() is None, timeout_seconds=60)


def _ready() -> bool:
    return '"status":"ready"' in body_of(f"{ADDRESS}/ready")


def _refused(image: Image) -> None:
    try:
        _run(image, {"APP_ENV": "production"}, image.command)
    except InsideError as error:
        unnamed = [name for name in NEEDED_IN_PRODUCTION if name not in str(error)]
        if unnamed:
            raise InsideError(f"the refusal does not name {', '.join(unnamed)}: {error}") from error
    else:
        raise InsideError("production started without its secrets")


@contextmanager
def _running(
    proof: Proof, image: Image, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> "Iterator[subprocess.Popen[bytes]]":
    """A long-running program of the image; at the end of the block it gets SIGTERM, as from `docker compose stop`."""
    log = proof.workshop / f"{name}.log"
    with log.open("wb") as output:
        process = start_inside(_place(image, environment), command, output)
    try:
        yield process
    except BaseException:
        stop_group(process)
        proof.progress.say(f"last lines of {name}:\n{last_lines(log.read_text(errors='replace'))}")
        raise
    with proof.progress.step(f"SIGTERM stops the {name}"):
        status = stop_group(process, signal.SIGTERM, timeout_seconds=30)
        if status not in (0, -signal.SIGTERM):
            raise InsideError(f"the {name} left with {status}:\n{last_lines(log.read_text(errors='replace'))}")


def _run(image: Image, environment: Mapping[str, str], command: Sequence[str]) -> None:
    run_inside(_place(image, environment), command, timeout_seconds=60)


def _place(image: Image, environment: Mapping[str, str]) -> Place:
    place = image.place()
    return replace(place, environment={**place.environment, **environment})
