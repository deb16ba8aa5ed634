"""What every proof carries along: where things lie, how to fetch packages, and whom to tell."""

from dataclasses import dataclass
from pathlib import Path

from tests.deployment.bare_tree.machine import Archive, Machine, debian_archives
from tests.deployment.bare_tree.progress import Progress


@dataclass(frozen=True, slots=True)
class Proof:
    """The repository to prove, a cache that stays, a workshop that goes, and an archive when the operator named one."""

    repository: Path
    cache: Path
    workshop: Path
    archive: str | None
    machine: Machine
    progress: Progress

    def archives(self, codename: str) -> list[Archive]:
        """Where Debian packages of this release come from, the release itself first."""
        return [Archive(self.archive, codename, "main")] if self.archive else debian_archives(codename)
