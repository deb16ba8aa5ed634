"""Payloads of every platform with the leads that should come of them: published ones by their index, ours by what lies beside them."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.signatures import PLATFORMS

OWN_PAYLOADS = Path(__file__).resolve().parents[1] / "platforms" / "payloads"
PLATFORM_OF_PREFIX = {"ig": "instagram", "wa": "whatsapp", "zalo": "zalo", "tiktok": "tiktok"}
COLUMNS = {"author_id": "author_id", "author_name": "author_name", "external_id": "external_message_id", "text": "content_text"}

Leads = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Payload:
    """One delivery, and what should come of it: how many leads; `missing` says what is not among those listed (nothing: None)."""

    name: str
    platform: str
    body: bytes
    leads: int
    missing: Callable[[Leads], object]


def public_payloads(folder: Path) -> list[Payload]:
    """What others published, with the leads that INDEX.csv says each makes."""
    with (folder / "INDEX.csv").open(encoding="utf-8", newline="") as lines:
        return [_of_index(row, (folder / row["file"]).read_bytes()) for row in csv.DictReader(lines)]


def own_payloads() -> list[Payload]:
    """Ours, with the fields worth saying of what the adapter should read in them."""
    return [
        _of_own(platform, path)
        for platform in PLATFORMS
        for path in sorted((OWN_PAYLOADS / platform).glob("*.json"))
        if not path.name.endswith(".expected.json")
    ]


def escaped(body: bytes) -> bytes:
    """The same JSON as a platform writes it that escapes: pure ASCII, and the four characters that older Meta escapes too."""
    written = re.sub(r"\\.|[/<%@]|[^\x00-\x7f]", _escape, body.decode("utf-8-sig"), flags=re.DOTALL)
    assert json.loads(written) == json.loads(body)
    return written.encode("ascii")


def _escape(found: re.Match[str]) -> str:
    if found[0].startswith("\\"):
        return found[0]
    return json.dumps(found[0])[1:-1] if not found[0].isascii() else "\\/" if found[0] == "/" else f"\\u{ord(found[0]):04x}"


def _of_index(row: dict[str, str], body: bytes) -> Payload:
    """The index joins several values by " | ", and leaves out what it does not know."""

    def missing(leads: Leads) -> object:
        if row["expects_leads"] == "0":  # a row of no lead still names who did what
            return None
        seen = {cell: Counter(value for lead in leads if (value := _as_the_index_writes(lead)[name])) for cell, name in COLUMNS.items()}
        told = {cell: Counter(text for part in row[cell].split(" | ") if (text := part.strip())) for cell in COLUMNS}
        return None if seen == told else (seen, told)

    platform = PLATFORM_OF_PREFIX.get(row["file"].partition("-")[0], "facebook")
    return Payload(row["file"], platform, body, int(row["expects_leads"]), missing)


def _as_the_index_writes(lead: dict[str, Any]) -> dict[str, Any]:
    """A tap's own id carries its kind before the platform's `mid`, since other kinds reuse that `mid`."""
    return {**lead, "external_message_id": lead["meta"].get("mid")} if lead["source_type"] == "postback" else lead


def _of_own(platform: str, path: Path) -> Payload:
    """One message told twice is one lead, and what the same delivery changes of it has happened to it."""
    told = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
    first_told: dict[object, dict[str, Any]] = {}
    for position, signal in enumerate(told["signals"]):
        first_told.setdefault(signal.get("external_message_id") or position, signal)
    changes: list[dict[str, Any]] = told.get("changes", [])

    def missing(leads: Leads) -> object:
        return [signal for signal in first_told.values() if not any(_is_told_by(lead, signal, changes) for lead in leads)] or None

    return Payload(f"{platform}/{path.name}", platform, path.read_bytes(), len(first_told), missing)


def _is_told_by(lead: dict[str, Any], signal: dict[str, Any], changes: list[dict[str, Any]]) -> bool:
    of_this = [change for change in changes if change["external_message_id"] == lead["external_message_id"]]
    edits = [change["content_text"] for change in of_this if change["kind"] == "edited"]
    removed = any(change["kind"] == "removed" for change in of_this)
    told = {name: value for name, value in signal.items() if name in lead and name != "meta"} | (
        {"content_text": edits[-1]} if edits else {}
    )
    return all(lead[name] == value for name, value in told.items()) and (lead["status"] == "withdrawn") == removed
