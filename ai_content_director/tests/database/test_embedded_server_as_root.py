"""Root hands the embedded server to an ordinary user, and locks nobody out of their own data."""

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from lead_signals.database.embedded import postgres_binaries, server_user
from lead_signals.database.embedded.postgres_binaries import LIBRARIES_OF_WHEEL, PROGRAMS_IN_WHEEL, PostgresBinaries, embedded_binaries
from lead_signals.database.embedded_server import EmbeddedServer
from tests.database.embedded_operators import Operator, Shelf, ask, mode, needs_root, processes_on, refusal, until


@needs_root
def test_root_starts_below_a_folder_closed_to_the_servers_user_and_gives_it_no_capability(root: Operator) -> None:
    private = root.home / "private"
    private.mkdir(mode=0o700)
    with EmbeddedServer(private / "data") as server:
        ask(
            server,
            "drop table if exists calls",
            "create table calls (n int)",
            "insert into calls values (1)",
            "set timezone = 'Asia/Ho_Chi_Minh'",
            "checkpoint",
        )
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert re.findall(r"Cap(?:Inh|Prm|Eff|Amb):\s+(\w+)", status) == ["0" * 16] * 4
        for pid in processes_on(private / "data"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not server.is_running(), "the postmaster was killed")
        server.start()
        assert ask(server, "select n from calls") == "1"
    assert mode(private) == 0o700


@needs_root
def test_root_with_programs_in_a_closed_folder_runs_a_copy_of_them(root: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _closed_programs(root.home)
    cache = root.home / "cache"
    cache.mkdir(mode=0o755)
    monkeypatch.setattr(postgres_binaries, "CACHE", cache)
    (root.home / "private").mkdir(mode=0o700)
    for directory, place in ((root.home / "open", root.home / "open"), (root.home / "private" / "data", cache)):
        with EmbeddedServer(directory, programs) as server:
            assert ask(server, "select extname from pg_extension") == "plpgsql"
            (copy,) = place.glob("lead-signals-postgres-*")
            started = Path(f"/proc/{server.pid}/cmdline").read_bytes().partition(b"\0")[0]
            assert started == os.fsencode(copy / PROGRAMS_IN_WHEEL / "postgres")
        assert {mode(path) for path in (copy, *copy.rglob("*")) if not path.is_symlink()} == {0o755, 0o644}
        made = copy.stat().st_ino
        with EmbeddedServer(directory, programs):
            assert copy.stat().st_ino == made, "the copy is made once"
    copy.chmod(0o777)
    assert "was not made by us" in refusal(EmbeddedServer(root.home / "private" / "data", programs))
    assert mode(root.home / "venv") == 0o700


@needs_root
def test_root_with_no_open_place_at_all_is_told_which_folder_is_closed(root: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = _closed_programs(root.home)
    monkeypatch.setattr(postgres_binaries, "CACHE", root.home / "no such folder")
    monkeypatch.setattr(postgres_binaries.tempfile, "gettempdir", lambda: str(root.home / "venv"))
    said = refusal(EmbeddedServer(root.home / "venv" / "data", programs))
    assert f"{root.home / 'venv'} is closed to the user" in said
    assert "choose a --data-dir" in said


def _closed_programs(home: Path) -> PostgresBinaries:
    """An installation below a folder that only root may enter, made under a umask that hides every file from others."""
    venv = home / "venv"
    venv.mkdir(mode=0o700)
    wheel = embedded_binaries().directory.parents[len(PROGRAMS_IN_WHEEL.parts) - 1]
    for part in (PROGRAMS_IN_WHEEL.parent, LIBRARIES_OF_WHEEL):
        shutil.copytree(wheel / part, venv / part, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in venv.rglob("*"):
        if not path.is_symlink():
            path.chmod(mode(path) & 0o700)
    return PostgresBinaries(venv / PROGRAMS_IN_WHEEL)


@needs_root
def test_one_start_by_root_does_not_lock_the_owner_of_the_data_out(ordinary: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            ask(server, "create table if not exists calls (n int)", "insert into calls values (1)")

    ordinary.does(scene, ordinary.directory)
    scene(ordinary.directory)
    assert {path.stat().st_uid for path in ordinary.directory.iterdir()} == {ordinary.uid}
    ordinary.does(scene, ordinary.directory)
    with EmbeddedServer(ordinary.directory) as server:
        assert ask(server, "select count(*) from calls") == "3"


@needs_root
def test_root_runs_the_server_as_the_owner_of_the_data_or_of_the_folder_around_it(ordinary: Operator, root: Operator) -> None:
    around_is_theirs = ordinary.home / "postgres"
    data_is_theirs = root.home / "postgres"
    data_is_theirs.mkdir()
    os.chown(data_is_theirs, ordinary.uid, ordinary.gid)
    unknown_here = root.home / "mounted"
    unknown_here.mkdir()
    os.chown(unknown_here, 54321, 54322)
    chosen = [server_user.choose_server_user(cluster) for cluster in (around_is_theirs, data_is_theirs, unknown_here)]
    assert [(user.uid, user.gid) for user in chosen] == [(ordinary.uid, ordinary.gid)] * 2 + [(54321, 54322)]
    assert server_user.choose_server_user(root.home / "nothing" / "postgres").name in server_user.USERS_FOR_ROOT


@needs_root
def test_data_of_somebody_else_is_refused_by_name(ordinary: Operator) -> None:
    cluster = ordinary.directory / "postgres"
    cluster.mkdir(parents=True)

    def scene(directory: Path) -> None:
        assert f"{cluster} belongs to the user root: start us as that user" in refusal(EmbeddedServer(directory))

    ordinary.does(scene, ordinary.directory)


@needs_root
def test_data_restored_by_root_is_given_back_to_the_servers_user(root: Operator, shelf: Shelf) -> None:
    cluster = root.directory / "postgres"
    with shelf.lend(root, root.directory):
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, 0, 0)
        cluster.chmod(0o755)
        with EmbeddedServer(root.directory) as server:
            assert ask(server, "select 1") == "1"
        assert mode(cluster) == 0o700
        assert 0 not in {path.stat().st_uid for path in cluster.rglob("*")}


@needs_root
@pytest.mark.parametrize("name", ["lock", "postgres.log"])
def test_root_is_not_led_elsewhere_by_a_link(ordinary: Operator, root: Operator, name: str) -> None:
    precious = root.home / "precious"
    precious.write_text("of root")
    ordinary.directory.mkdir()
    os.chown(ordinary.directory, ordinary.uid, ordinary.gid)
    (ordinary.directory / name).symlink_to(precious)
    assert str(ordinary.directory / name) in refusal(EmbeddedServer(ordinary.directory))
    assert precious.read_text() == "of root"
    assert precious.stat().st_uid == 0


@needs_root
def test_the_server_knows_nothing_of_our_environment(root: Operator, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key nobody should read")
    monkeypatch.setenv("PGDATA", "/elsewhere")
    with shelf.lend(root, root.directory), EmbeddedServer(root.directory) as server:
        names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PATH", b"LC_ALL", b"TZ", b"LD_LIBRARY_PATH", b"PGSYSCONFDIR", b"PGLOCALEDIR"}
