"""A bare Debian tree, made once by debootstrap and kept as an archive in the cache."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.deployment.bare_tree.inside import Place, run_inside
from tests.deployment.bare_tree.machine import MachineError
from tests.deployment.bare_tree.proof import Proof


def codename_of(image: str) -> str:
    """`debian:bookworm-slim` → `bookworm`. Raises MachineError for any other ground, which debootstrap could not make."""
    found = re.fullmatch(r"debian:([a-z]+)-slim", image)
    if not found:
        raise MachineError(f"the image stands on {image}; only debian:<codename>-slim is the same ground as a debootstrap tree")
    return found[1]


def unpack_debian(proof: Proof, codename: str, tree: Path) -> None:
    """Make `tree` a fresh Debian of the smallest kind (variant minbase), from the cache when it is there.

    Delete the file in the cache to start from today's packages.
    """
    kept = proof.cache / f"debian-{codename}-minbase.tar"
    if not kept.exists():
        with proof.progress.step(f"debootstrap --variant=minbase {codename}"):
            _bootstrap(proof, codename, kept)
    with proof.progress.step(f"unpack a bare Debian {codename}"):
        tree.mkdir()
        subprocess.run(["tar", "--extract", "--file", str(kept), "--directory", str(tree), "--numeric-owner"], check=True)


def _bootstrap(proof: Proof, codename: str, kept: Path) -> None:
    if not shutil.which("debootstrap"):
        raise MachineError("debootstrap is not installed: apt-get install debootstrap")
    archives = proof.archives(codename)
    fresh = proof.workshop / f"debian-{codename}-fresh"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", codename, str(fresh), archives[0].address], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise MachineError("debootstrap failed:\n" + "\n".join((made.stdout + made.stderr).splitlines()[-20:]))
    lines = [f"deb {archive.address} {archive.suite} {archive.components}" for archive in archives]
    (fresh / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
    run_inside(Place(fresh), ["apt-get", "clean"])
    half = kept.with_suffix(".half")
    packing = ["tar", "--create", "--file", str(half), "--directory", str(fresh), "--numeric-owner", "--one-file-system", "."]
    subprocess.run(packing, check=True)
    half.rename(kept)
    shutil.rmtree(fresh)
