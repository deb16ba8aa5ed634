"""Carry out a Dockerfile in bare trees, one tree per stage, and say what image came of it."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.deployment.bare_tree import dockerfile
from tests.deployment.bare_tree.dockerfile import DockerfileError, Instruction, Stage
from tests.deployment.bare_tree.ignored_paths import is_ignored, read_patterns
from tests.deployment.bare_tree.inside import Place, look_up, run_inside
from tests.deployment.bare_tree.isolation import lent
from tests.deployment.bare_tree.proof import Proof


@dataclass(slots=True)
class Image:
    """A tree and how it is meant to run: environment, directory, user, command, health check."""

    tree: Path
    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "0"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    healthcheck: tuple[str, ...] = ()
    arguments: dict[str, str] = field(default_factory=dict)

    def place(self) -> Place:
        """Where and as whom its programs run."""
        return Place(self.tree, self.directory, look_up(self.tree, self.user), dict(self.environment))


@dataclass(frozen=True, slots=True)
class Builder:
    """What a build needs: the context folder, how to unpack a ground (image name, tree), and what every proof carries."""

    context: Path
    unpack_ground: Callable[[str, Path], None]
    proof: Proof


def build_image(builder: Builder) -> Image:
    """Every stage of `Dockerfile` in the context, in order; the image of the last one. Raises on the first step that fails."""
    stages = dockerfile.read_stages((builder.context / "Dockerfile").read_text(encoding="utf-8"))
    images: dict[str, Image] = {}
    for stage in stages:
        images[stage.name] = image = _ground(builder, stage, images)
        for instruction in stage.instructions:
            with builder.proof.progress.step(f"{stage.name}: {instruction}"):
                _carry_out(builder, instruction, image, images)
    return images[stages[-1].name]


def _ground(builder: Builder, stage: Stage, images: dict[str, Image]) -> Image:
    tree = builder.proof.workshop / f"stage-{len(images)}-{stage.name}"
    earlier = images.get(stage.ground)
    if earlier is None:
        builder.unpack_ground(stage.ground, tree)
        return Image(tree)
    with builder.proof.progress.step(f"{stage.name}: FROM {stage.ground}"):
        subprocess.run(["cp", "--archive", "--reflink=auto", str(earlier.tree), str(tree)], check=True)
    return Image(tree, dict(earlier.environment), earlier.directory, earlier.user, earlier.entrypoint, earlier.command, earlier.healthcheck)


def _carry_out(builder: Builder, instruction: Instruction, image: Image, images: dict[str, Image]) -> None:
    value = instruction.value
    known = image.arguments | image.environment
    match instruction.keyword:
        case "RUN":
            place = image.place()
            fetching = builder.proof.machine.environment | image.arguments | dict(place.environment)
            with lent(image.tree, builder.proof.machine.things):
                run_inside(Place(image.tree, place.directory, place.person, fetching), dockerfile.command(value))
        case "COPY":
            _copy(builder, dockerfile.expand(value, known), image, images)
        case "ENV":
            image.environment |= dockerfile.assignments(value, known)
        case "ARG":
            image.arguments |= {name: given for name, given in dockerfile.assignments(value, known).items() if given}
        case "WORKDIR":
            image.directory = os.path.join(image.directory, dockerfile.expand(value, known))  # noqa: PTH118 a path inside the tree
            (image.tree / image.directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = dockerfile.expand(value, known)
            look_up(image.tree, image.user)
        case "EXPOSE":
            if not value.removesuffix("/tcp").isdigit():
                raise DockerfileError(f"line {instruction.line}: EXPOSE wants a port, found {value!r}")
        case "HEALTHCHECK":
            image.healthcheck = dockerfile.healthcheck(value)
        case "ENTRYPOINT":
            image.entrypoint = dockerfile.command(value)
        case "CMD":
            image.command = dockerfile.command(value)
        case other:
            raise DockerfileError(f"line {instruction.line}: {other} is read and not carried out")


def _copy(builder: Builder, value: str, image: Image, images: dict[str, Image]) -> None:
    """COPY: from the context, less what `.dockerignore` keeps out, or from an earlier stage; owned by root."""
    words = value.split()
    origin = None
    while words and words[0].startswith("--"):
        option, _, given = words.pop(0).partition("=")
        if option != "--from" or given not in images:
            raise DockerfileError(f"COPY {option}={given}: only --from=<earlier stage> is known here")
        origin = images[given].tree
    *sources, wanted = words
    target = image.tree / os.path.join(image.directory, wanted).lstrip("/")  # noqa: PTH118 a path inside the tree
    into_folder = wanted.endswith(("/", ".")) or len(sources) > 1
    patterns = [] if origin else read_patterns((builder.context / ".dockerignore").read_text(encoding="utf-8"))
    for source in sources:
        found = (origin or builder.context) / source.strip("/")
        if not found.exists() or (origin is None and is_ignored(PurePosixPath(source), patterns)):
            raise DockerfileError(f"COPY {source}: not there, or kept out by .dockerignore")
        if found.is_dir():
            _copy_folder(found, target, builder.context, patterns)
        else:
            to = target / found.name if into_folder or target.is_dir() else target
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, to)


def _copy_folder(found: Path, target: Path, context: Path, patterns: list[str]) -> None:
    def kept_out(folder: str, names: list[str]) -> set[str]:
        if not patterns:
            return set()
        here = PurePosixPath(Path(folder).relative_to(context))
        return {name for name in names if is_ignored(here / name, patterns)}

    shutil.copytree(found, target, symlinks=True, dirs_exist_ok=True, ignore=kept_out)
