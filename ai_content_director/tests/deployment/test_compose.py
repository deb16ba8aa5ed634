"""What docker compose makes of our files: who holds which secret, which port is open, what production refuses.

The files are read by the real docker compose (or its predecessor docker-compose), because joining two files has rules of its own.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from lead_signals.settings import Settings, missing_secrets
from tests.deployment.bare_tree.prove_image import PRODUCTION_COMMAND, WORKER_CHECK

ROOT = Path(__file__).parents[3]
BASE, OVERRIDE, PRODUCTION = "docker-compose.yml", "docker-compose.override.yml", "docker-compose.prod.yml"
# Invented, and each one findable in what compose prints.
SECRETS = {
    "POSTGRES_PASSWORD": "adminword1111",
    "POSTGRES_APP_PASSWORD": "appword2222",
    "PUBLIC_BASE_URL": "https://leads.example.vn",
    "OPERATOR_API_KEY": "operatorkey3333",
    "FACEBOOK_APP_SECRET": "metasecret4444",
    "FACEBOOK_VERIFY_TOKEN": "verifyword5555",
    "N8N_ENCRYPTION_KEY": "n8nkey6666",
}

Services = dict[str, dict[str, Any]]


def compose_command() -> list[str] | None:
    """The compose of this machine: the plugin of today, else the program of yesterday, else None."""
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [docker, "compose"]
    old = shutil.which("docker-compose")
    return [old] if old else None


COMPOSE = compose_command()
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="neither `docker compose` nor `docker-compose` is installed on this machine")


def config(files: list[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`docker compose config` of our files, deaf to this machine's environment and to an operator's own `.env`."""
    assert COMPOSE is not None
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.NamedTemporaryFile(suffix=".env") as nothing:
        command = [*COMPOSE, "--project-directory", str(ROOT), "--env-file", nothing.name]
        for file in files:
            command += ["-f", str(ROOT / file)]
        return subprocess.run([*command, "config"], env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False)


def services(files: list[str], environment: Mapping[str, str]) -> Services:
    result = config(files, environment)
    assert result.returncode == 0, result.stderr
    read: Services = yaml.safe_load(result.stdout)["services"]
    return read


@pytest.fixture(scope="module")
def laptop() -> Services:
    """What a bare `docker compose up -d` starts, with nothing in the environment."""
    return services([BASE, OVERRIDE], {})


@pytest.fixture(scope="module")
def production() -> Services:
    return services([BASE, PRODUCTION], SECRETS)


def published(service: Mapping[str, Any]) -> set[tuple[str, int]]:
    """(address on the host, port on the host) of each published port; either spelling that compose prints."""
    ports = set()
    for port in service.get("ports", []):
        if isinstance(port, str):
            *address, host_port, _ = port.split("/", maxsplit=1)[0].split(":")
            ports.add((address[0] if address else "0.0.0.0", int(host_port)))
        else:
            ports.add((port.get("host_ip", "0.0.0.0"), int(port["published"])))
    return ports


def holders(found: Services, word: str) -> set[str]:
    """Names of the services whose configuration holds `word` anywhere."""
    return {name for name, service in found.items() if word in yaml.safe_dump(service)}


@needs_compose
def test_a_laptop_gets_the_four_services_on_loopback_only(laptop: Services) -> None:
    assert set(laptop) == {"api", "worker", "postgres", "n8n"}
    assert {name: published(service) for name, service in laptop.items() if published(service)} == {
        "api": {("127.0.0.1", 8000)},
        "n8n": {("127.0.0.1", 5678)},
    }
    assert laptop["api"]["environment"]["APP_ENV"] == "local"


@needs_compose
def test_in_production_only_caddy_publishes_ports_and_n8n_stays_on_loopback(production: Services) -> None:
    assert set(production) == {"api", "worker", "postgres", "n8n", "caddy"}
    assert {name: published(service) for name, service in production.items() if published(service)} == {
        "caddy": {("0.0.0.0", 80), ("0.0.0.0", 443), ("127.0.0.1", 5678)}
    }


@needs_compose
@pytest.mark.parametrize("name", sorted(SECRETS))
def test_production_refuses_with_a_sentence_that_names_the_missing_variable(name: str) -> None:
    for environment in ({**SECRETS, name: ""}, {key: value for key, value in SECRETS.items() if key != name}):
        result = config([BASE, PRODUCTION], environment)
        assert result.returncode != 0
        assert name in result.stderr
        assert "set it in .env" in result.stderr


def test_compose_asks_for_at_least_what_the_application_would_refuse_to_start_without() -> None:
    made_from = {"DATABASE_URL": "POSTGRES_APP_PASSWORD"}
    needed = {made_from.get(name, name) for name in missing_secrets(Settings())}
    asked = set(re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / PRODUCTION).read_text(encoding="utf-8")))
    assert needed <= asked == set(SECRETS)


@needs_compose
def test_the_administrator_password_reaches_postgres_and_migrations_only(production: Services, laptop: Services) -> None:
    assert holders(production, SECRETS["POSTGRES_PASSWORD"]) == {"postgres", "api"}
    assert holders(laptop, "local-admin-password") == {"postgres", "api"}
    # In production the server itself is started without it; `docker compose run api alembic …` replaces this command and keeps it.
    assert production["api"]["command"] == PRODUCTION_COMMAND  # the one that `bin/check_image` proves


@needs_compose
def test_each_other_secret_reaches_those_who_use_it_and_nobody_else(production: Services) -> None:
    application = {"api", "worker"}
    assert holders(production, SECRETS["POSTGRES_APP_PASSWORD"]) == application
    for name in ("OPERATOR_API_KEY", "FACEBOOK_APP_SECRET", "FACEBOOK_VERIFY_TOKEN"):
        assert holders(production, SECRETS[name]) == application
    assert holders(production, SECRETS["N8N_ENCRYPTION_KEY"]) == {"n8n"}


@needs_compose
def test_the_application_works_as_the_role_that_owns_nothing(production: Services) -> None:
    for name in ("api", "worker"):
        assert production[name]["environment"]["DATABASE_URL"] == "postgresql://lead_signals_app:appword2222@postgres:5432/lead_signals"
        assert production[name]["environment"]["APP_ENV"] == "production"


@needs_compose
def test_only_api_and_worker_reach_the_database(production: Services) -> None:
    assert {name for name, service in production.items() if "database" in service["networks"]} == {"api", "worker", "postgres"}
    assert set(production["postgres"]["networks"]) == {"database"}


@needs_compose
def test_api_and_worker_can_be_scaled(production: Services) -> None:
    for name in ("api", "worker"):
        assert "container_name" not in production[name]
        assert not published(production[name])


@needs_compose
@pytest.mark.parametrize("which", ["laptop", "production"])
def test_every_service_restarts_and_is_checked_for_health(which: str, request: pytest.FixtureRequest) -> None:
    found: Services = request.getfixturevalue(which)
    assert {name: service.get("restart") for name, service in found.items()} == dict.fromkeys(found, "unless-stopped")
    checked_by_compose = {name for name, service in found.items() if service.get("healthcheck", {}).get("test")}
    assert set(found) - checked_by_compose == {"api"}  # the image checks the api
    assert found["worker"]["healthcheck"]["test"] == ["CMD", *WORKER_CHECK]
    assert "HEALTHCHECK" in (ROOT / "ai_content_director" / "Dockerfile").read_text(encoding="utf-8")


@needs_compose
def test_one_service_builds_the_image_and_the_other_runs_it(production: Services) -> None:
    # Two builds of one name run at the same time and fail on a machine that has no image yet.
    assert {name for name, service in production.items() if "build" in service} == {"api"}
    assert production["api"]["image"] == production["worker"]["image"] == "lead-signals:local"


@needs_compose
def test_production_bounds_and_hardens_every_container(production: Services) -> None:
    for name, service in production.items():
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"] == "10m", name
    for name in ("api", "worker"):
        assert production[name]["read_only"] is True
        assert production[name]["cap_drop"] == ["ALL"]


@needs_compose
def test_data_lies_in_named_volumes(production: Services) -> None:
    def targets(name: str) -> set[str]:
        volumes = production[name].get("volumes", [])
        pairs = (tuple(v.split(":")[:2]) if isinstance(v, str) else (v["source"], v["target"]) for v in volumes)
        return {target for source, target in pairs if "/" not in source}

    assert targets("postgres") == {"/var/lib/postgresql"}
    assert targets("n8n") == {"/home/node/.n8n"}
    assert targets("caddy") == {"/data", "/config"}
    assert targets("api") == targets("worker") == set()


@pytest.mark.parametrize("file", [BASE, OVERRIDE, PRODUCTION])
def test_every_foreign_image_is_pinned_to_a_version(file: str) -> None:
    described = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["services"].values()
    images = [service["image"] for service in described if "image" in service]
    for image in images:
        assert image == "lead-signals:local" or re.search(r":\d+\.\d+", image), image


def test_the_door_asks_every_api_container_by_name() -> None:
    caddyfile = (ROOT / "Caddyfile").read_text(encoding="utf-8")
    assert re.search(r"dynamic a \{\s+name api\s+port 8000", caddyfile)
    assert re.search(r"max_size \d+MiB", caddyfile)


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed on this machine")
def test_the_door_is_understood_by_caddy() -> None:
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(ROOT / "Caddyfile")]
    environment = {**os.environ, "PUBLIC_BASE_URL": SECRETS["PUBLIC_BASE_URL"]}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
