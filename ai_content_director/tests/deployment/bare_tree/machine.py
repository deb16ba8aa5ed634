"""How this machine reaches package registries, read when the proof runs, lent to the tree for that run, written nowhere.

A container engine gives a build the host's network and proxies; a bare tree needs the same things handed in: pip's
configuration with the folders it points to, the certificate bundle, proxies, and the Debian archive it may install from.
"""

import ast
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_PASSED_ON = re.compile(r"(https?|ftp|all|no)_proxy|PIP_\w+|npm_config_\w+", re.IGNORECASE)
_BUNDLE_INSIDE = "/run/machine-certificates.pem"
_BUNDLE_NAMES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class MachineError(Exception):
    """This machine lacks something the proof needs; the message says what to install or set."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Environment variables and read-only things (path inside the tree → ours) for programs that fetch packages."""

    environment: dict[str, str]
    things: dict[str, Path]


@dataclass(frozen=True, slots=True)
class Archive:
    """One Debian archive: its address, suite and components."""

    address: str
    suite: str
    components: str


def read_machine() -> Machine:
    """What the programs of this machine use to fetch packages."""
    environment = _pip_configuration() | {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    things = {}
    for value in environment.values():
        for word in value.split():
            for folder in _local_folders(word):
                things[str(folder)] = folder
    bundle = _certificate_bundle()
    if bundle:
        things[_BUNDLE_INSIDE] = bundle
        environment |= dict.fromkeys(_BUNDLE_NAMES, _BUNDLE_INSIDE)
    return Machine(environment, things)


def _pip_configuration() -> dict[str, str]:
    """pip's configuration files as the environment variables that mean the same; empty without a pip."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    found = {}
    for line in said.splitlines():
        name, _, value = line.partition("=")
        place, _, key = name.rpartition(".")
        if place in ("global", "user", "site", "install", "download"):
            found[f"PIP_{key.upper().replace('-', '_')}"] = " ".join(str(ast.literal_eval(value)).split())
    return found


def _local_folders(word: str) -> Iterator[Path]:
    if word.startswith("file://"):
        folder = Path(unquote(urlsplit(word).path))
        if folder.is_dir():
            yield folder.parent  # an index points to files beside it
    elif word.startswith("/") and Path(word).is_dir():
        yield Path(word)


def _certificate_bundle() -> Path | None:
    named = [os.environ.get(name) for name in _BUNDLE_NAMES] + [ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt"]
    return next((Path(name) for name in named if name and Path(name).is_file()), None)


def debian_archives(codename: str, root: Path = Path("/etc/apt")) -> list[Archive]:
    """The archives apt uses here for this Debian release, its updates and its security fixes; the release itself first.

    Raises MachineError when apt has none (another release, another distribution).
    """
    archives = [
        archive
        for file in [root / "sources.list", *sorted((root / "sources.list.d").glob("*"))]
        if file.is_file()
        for archive in (_stanzas(file.read_text()) if file.suffix == ".sources" else _lines(file.read_text()))
        if archive.suite == codename or archive.suite in (f"{codename}-updates", f"{codename}-security")
    ]
    if not any(archive.suite == codename for archive in archives):
        raise MachineError(f"apt has no source for Debian {codename} here; name an archive with --archive")
    return sorted(archives, key=lambda archive: archive.suite)


def _lines(text: str) -> Iterator[Archive]:
    """The one-line form of sources.list(5)."""
    for line in text.splitlines():
        found = re.fullmatch(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+?)\s*(?:#.*)?", line.strip())
        if found:
            yield Archive(found[1], found[2], found[3])


def _stanzas(text: str) -> Iterator[Archive]:
    """The deb822 form of sources.list(5)."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes") != "no":
            for address in fields.get("URIs", "").split():
                for suite in fields.get("Suites", "").split():
                    yield Archive(address, suite, fields.get("Components", ""))
