"""Root hands the embedded server to an ordinary user, in a folder of root: nobody else leads root's hand."""

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from lead_signals.database.embedded import postgres_binaries, server_user
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.postgres_binaries import LIBRARIES_OF_WHEEL, PROGRAMS_IN_WHEEL, PostgresBinaries, embedded_binaries
from lead_signals.database.embedded.trusted_folder import give_folder
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
@pytest.mark.parametrize("whose", ["data directory", "folder around it", "folder further up"])
def test_root_writes_in_no_folder_of_others(ordinary: Operator, root: Operator, whose: str) -> None:
    directory = {"data directory": root.directory, "folder around it": ordinary.directory}.get(whose, ordinary.home / "a" / "data")
    if whose == "data directory":
        directory.mkdir()
        os.chown(directory, ordinary.uid, ordinary.gid)
    if whose == "folder further up":
        directory.parent.mkdir()
    said = refusal(EmbeddedServer(directory))
    theirs = directory if whose == "data directory" else ordinary.home
    assert f"{theirs} belongs to the user nobody, and root writes in no folder of others: start us as that user" in said
    assert "choose another --data-dir" in said
    assert not directory.exists() or list(directory.iterdir()) == []


@needs_root
def test_root_writes_in_no_folder_that_others_may_write(root: Operator) -> None:
    root.directory.mkdir()
    for place, open_to_others in ((root.directory, 0o1777), (root.directory, 0o770), (root.home, 0o777)):
        closed = mode(place)
        place.chmod(open_to_others)
        assert f"{place} may be written by others than root" in refusal(EmbeddedServer(root.directory))
        place.chmod(closed)
        assert list(root.directory.iterdir()) == []


@needs_root
def test_root_runs_the_server_as_the_owner_of_the_data(ordinary: Operator, root: Operator) -> None:
    data_is_theirs = root.home / "postgres"
    data_is_theirs.mkdir()
    os.chown(data_is_theirs, ordinary.uid, ordinary.gid)
    unknown_here = root.home / "mounted"
    unknown_here.mkdir()
    os.chown(unknown_here, 54321, 54322)
    chosen = [server_user.choose_server_user(cluster) for cluster in (data_is_theirs, unknown_here)]
    assert [(user.uid, user.gid) for user in chosen] == [(ordinary.uid, ordinary.gid), (54321, 54322)]
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
def test_data_restored_by_root_with_a_second_name_elsewhere_is_refused(root: Operator, shelf: Shelf) -> None:
    precious = root.home / "precious"
    precious.write_text("of root")
    cluster = root.directory / "postgres"
    with shelf.lend(root, root.directory):
        uid, gid = cluster.stat().st_uid, cluster.stat().st_gid
        os.chown(cluster, 0, 0)
        (cluster / "planted").hardlink_to(precious)
        said = refusal(EmbeddedServer(root.directory))
        (cluster / "planted").unlink()
        os.chown(cluster, uid, gid)
    assert f"{cluster / 'planted'} has a second name elsewhere" in said
    assert precious.stat().st_uid == 0


@needs_root
def test_a_folder_exchanged_for_a_link_is_given_to_nobody(ordinary: Operator, root: Operator) -> None:
    precious, theirs = root.home / "precious", root.home / "theirs"
    precious.mkdir()
    theirs.mkdir()
    os.chown(theirs, ordinary.uid, ordinary.gid)
    (root.home / "made").symlink_to(precious)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        give_folder(root.home / "made", ordinary.uid, ordinary.gid, 0o777)
    with pytest.raises(EmbeddedServerError, match="was exchanged while we made it"):
        give_folder(theirs, ordinary.uid, ordinary.gid, 0o777)
    assert (precious.stat().st_uid, mode(theirs)) == (0, 0o755)


@pytest.mark.parametrize("name", ["lock", "postgres.log", "lead-signals.log"])
@pytest.mark.parametrize("trap", ["link", "second name", "pipe"])
def test_nobody_is_led_elsewhere_by_what_lies_in_the_way_of_a_file(operator: Operator, shelf: Shelf, name: str, trap: str) -> None:
    def scene(home: Path) -> None:
        precious, way = home / "precious", home / "data" / name
        precious.write_text("of great worth")
        {"link": way.symlink_to, "second name": way.hardlink_to}.get(trap, lambda _: os.mkfifo(way))(precious)
        server = EmbeddedServer(home / "data")
        if name == "lead-signals.log":
            with server, pytest.raises(EmbeddedServerError) as refused:
                server.open_log(name)
            said = str(refused.value)
        else:
            said = refusal(server)
        assert str(way) in said
        assert "choose another --data-dir" in said
        assert precious.read_text() == "of great worth"

    with shelf.lend(operator, operator.directory):
        operator.does(scene, operator.home)


@needs_root
def test_the_server_knows_nothing_of_our_environment(root: Operator, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key nobody should read")
    monkeypatch.setenv("PGDATA", "/elsewhere")
    with shelf.lend(root, root.directory), EmbeddedServer(root.directory) as server:
        names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PATH", b"LC_ALL", b"TZ", b"LD_LIBRARY_PATH", b"PGSYSCONFDIR", b"PGLOCALEDIR"}
