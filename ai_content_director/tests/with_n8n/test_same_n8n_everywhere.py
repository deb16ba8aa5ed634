"""The n8n of the proof is the n8n that compose starts."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.with_n8n.real_n8n import PROGRAM, ROOT, WORKFLOWS


def test_compose_and_the_proof_run_the_same_version() -> None:
    image = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["n8n"]["image"]
    wanted = _read(WORKFLOWS / "proof" / "package.json")["dependencies"]["n8n"]
    installed = _read(PROGRAM.parents[1] / "package.json")["version"]
    assert image == f"n8nio/n8n:{wanted}"
    assert installed == wanted


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read
