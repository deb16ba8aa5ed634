"""The tools of `bin/check_image` that need no root: reading Dockerfiles, ignoring files, finding archives, carrying out COPY."""

from pathlib import Path, PurePosixPath

import pytest

from tests.deployment.bare_tree.bare_debian import codename_of
from tests.deployment.bare_tree.build_image import Builder, Image, build_image
from tests.deployment.bare_tree.dockerfile import DockerfileError, assignments, command, healthcheck, read_stages
from tests.deployment.bare_tree.ignored_paths import is_ignored, read_patterns
from tests.deployment.bare_tree.inside import InsideError, look_up
from tests.deployment.bare_tree.machine import Archive, Machine, MachineError, debian_archives
from tests.deployment.bare_tree.progress import Progress
from tests.deployment.bare_tree.proof import Proof

SERVICE = Path(__file__).parents[2]


def test_our_dockerfile_is_understood_to_its_last_line() -> None:
    stages = read_stages((SERVICE / "Dockerfile").read_text(encoding="utf-8"))
    assert [(stage.name, stage.ground) for stage in stages] == [
        ("ground", "debian:bookworm-slim"),
        ("builder", "ground"),
        ("runtime", "ground"),
    ]
    assert codename_of(stages[0].ground) == "bookworm"
    last = {instruction.keyword: instruction.value for instruction in stages[-1].instructions}
    assert last["USER"] == "10001:10001"
    assert command(last["CMD"])[:2] == ("lead-signals", "serve")
    assert healthcheck(last["HEALTHCHECK"])[0] == "python"


def test_comments_and_continued_lines() -> None:
    (stage,) = read_stages("# top\nFROM debian:bookworm-slim\nRUN one \\\n# between\n    && two\n\nCMD echo hello\n")
    assert [(i.line, i.keyword, " ".join(i.value.split())) for i in stage.instructions] == [
        (3, "RUN", "one && two"),
        (7, "CMD", "echo hello"),
    ]
    assert command("echo hello") == ("/bin/sh", "-c", "echo hello")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM x\nVOLUME /data\n", "line 2: VOLUME is no instruction"),
        ("RUN true\n", "line 1: RUN stands before the first FROM"),
        ("FROM x AS\n", "line 1: FROM wants"),
        ("FROM x\nRUN a \\\n", "line 2: the last line ends in a backslash"),
        ("# nothing\n", "no FROM"),
    ],
)
def test_what_is_not_understood_is_an_error(text: str, said: str) -> None:
    with pytest.raises(DockerfileError, match=said):
        read_stages(text)


def test_variables_are_replaced_and_words_may_be_quoted() -> None:
    assert assignments('A=$X/bin B="one two" C=${Y}', {"X": "/opt"}) == {"A": "/opt/bin", "B": "one two", "C": ""}
    with pytest.raises(DockerfileError):
        assignments("A-B=1", {})


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("requirements.txt", False),
        (".env", True),
        ("tests/test_x.py", True),
        ("lead_signals/settings.py", False),
        ("lead_signals/deep/er/__pycache__/x.cpython-311.pyc", True),
        ("lead_signals/left.pyc", True),
        ("migrations/versions/one.py", False),
    ],
)
def test_our_dockerignore_lets_in_what_the_image_needs(path: str, *, ignored: bool) -> None:
    patterns = read_patterns((SERVICE / ".dockerignore").read_text(encoding="utf-8"))
    assert is_ignored(PurePosixPath(path), patterns) is ignored


def test_the_last_matching_pattern_decides() -> None:
    patterns = read_patterns("# a comment\n*.md\n!README.md\ndocs/**/draft?\n")
    assert is_ignored(PurePosixPath("notes.md"), patterns)
    assert not is_ignored(PurePosixPath("README.md"), patterns)
    assert not is_ignored(PurePosixPath("docs/notes.md"), patterns)  # `*` does not span folders
    assert is_ignored(PurePosixPath("docs/a/b/draft1"), patterns)
    assert is_ignored(PurePosixPath("docs/draft1/inside.txt"), patterns)


def built(tmp_path: Path, dockerfile: str) -> Image:
    """The image of a Dockerfile whose ground is a tree with two users and nothing else."""
    context = tmp_path / "context"
    (context / "app/__pycache__").mkdir(parents=True)
    (context / "app/main.py").write_text("main")
    (context / "app/__pycache__/main.pyc").write_text("compiled")
    (context / "secret.env").write_text("secret")
    (context / "start").write_text("#!/bin/sh\n")
    (context / "start").chmod(0o755)
    (context / "Dockerfile").write_text(dockerfile)
    (context / ".dockerignore").write_text("**/__pycache__\n*.env\n")

    def unpack_ground(ground: str, tree: Path) -> None:
        (tree / "etc").mkdir(parents=True)
        (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nclerk:x:77:78::/home/clerk:/bin/sh\n")
        (tree / "etc/ground").write_text(ground)

    proof = Proof(tmp_path, tmp_path, tmp_path, None, Machine({}, {}), Progress())
    return build_image(Builder(context, unpack_ground, proof))


def test_stages_copy_from_the_context_and_from_each_other(tmp_path: Path) -> None:
    image = built(
        tmp_path,
        "FROM first AS one\nENV HOME_OF=/srv\nWORKDIR $HOME_OF/app\nCOPY app ./code\nCOPY start secretless/start\n"
        "FROM one\nARG EXTRA=more\nENV PATH=/x/$EXTRA\nCOPY --from=one /srv/app/code /copied\nCOPY start /usr/bin/\n"
        "USER clerk\nCMD run it\n",
    )
    root = image.tree
    assert (root / "etc/ground").read_text() == "first"
    assert (root / "srv/app/code/main.py").read_text() == (root / "copied/main.py").read_text() == "main"
    assert not list(root.rglob("*.pyc"))
    assert (root / "srv/app/secretless/start").stat().st_mode & 0o777 == 0o755
    assert (root / "usr/bin/start").exists()
    assert image.environment == {"HOME_OF": "/srv", "PATH": "/x/more"}
    assert (image.directory, image.command) == ("/srv/app", ("/bin/sh", "-c", "run it"))
    assert (image.place().person.uid, image.place().person.gid, image.place().person.home) == (77, 78, "/home/clerk")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("COPY secret.env /", DockerfileError),
        ("COPY missing /", DockerfileError),
        ("COPY --chmod=755 start /", DockerfileError),
        ("COPY --from=nowhere /a /b", DockerfileError),
        ("EXPOSE 53/udp", DockerfileError),
        ("USER nobody-here", InsideError),
    ],
)
def test_a_step_that_cannot_be_carried_out_stops_the_build(tmp_path: Path, line: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        built(tmp_path, f"FROM first\n{line}\n")


def test_users_are_looked_up_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    assert look_up(tmp_path, "root").home == "/root"
    assert (look_up(tmp_path, "10001:10002").uid, look_up(tmp_path, "10001:10002").gid) == (10001, 10002)


def test_archives_are_read_from_both_forms_of_apt_sources(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("# old\ndeb [arch=amd64] http://archive.example/debian trixie main contrib # here\n")
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb deb-src\nURIs: http://archive.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n"
        "Types: deb\nURIs: http://archive.example/security\nSuites: bookworm-security\nComponents: main\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.example\nSuites: bookworm\nComponents: main\n"
    )
    (tmp_path / "sources.list.d/other.list").write_text("deb http://vendor.example/apt nodistro main\n")
    assert debian_archives("bookworm", tmp_path) == [
        Archive("http://archive.example/debian", "bookworm", "main"),
        Archive("http://archive.example/security", "bookworm-security", "main"),
        Archive("http://archive.example/debian", "bookworm-updates", "main"),
    ]
    assert debian_archives("trixie", tmp_path) == [Archive("http://archive.example/debian", "trixie", "main contrib")]
    with pytest.raises(MachineError, match="no source for Debian sid"):
        debian_archives("sid", tmp_path)


def test_another_ground_than_debian_slim_is_refused() -> None:
    with pytest.raises(MachineError, match="alpine"):
        codename_of("alpine:3")
