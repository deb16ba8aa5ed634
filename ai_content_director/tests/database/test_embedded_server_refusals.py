"""What lies in the way of the embedded server is refused in one clear sentence and left untouched; its programs are found or named."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lead_signals.database.embedded import postgres_binaries
from lead_signals.database.embedded.embedded_server_error import EmbeddedServerError
from lead_signals.database.embedded.postgres_binaries import PostgresBinaries, embedded_binaries
from lead_signals.database.embedded_server import EmbeddedServer
from tests.database.embedded_operators import LIBC, Operator, ask, linux_only, needs_root, refusal


def test_two_of_us_on_one_directory_refuse_and_say_who_holds_it(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            second = EmbeddedServer(directory)
            said = refusal(second)
            second.stop()
            assert f"in use by process {os.getpid()}:" in said
            assert "choose another --data-dir" in said
            assert ask(server, "select 1") == "1"
        with second:
            assert ask(second, "select 1") == "1"

    settled.does(scene, settled.directory)


@pytest.mark.parametrize("claim", ["foreign process", "dead process", "nothing", "nonsense"])
def test_a_stale_pid_file_does_not_stop_us(settled: Operator, claim: str) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory):
            genuine = (directory / "postgres" / "postmaster.pid").read_text()
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
            dead = 2**22 + 1  # above what Linux gives out
            first_line = {"foreign process": str(stranger.pid), "dead process": str(dead), "nothing": "", "nonsense": "x"}[claim]
            lie = first_line + genuine[genuine.index("\n") :] if first_line else ""
            (directory / "postgres" / "postmaster.pid").write_text(lie)
            (directory / "postgres" / ".s.PGSQL.5432.lock").write_text(lie)
            with EmbeddedServer(directory) as server:
                assert ask(server, "select 1") == "1"
            assert stranger.poll() is None, "a process that is none of ours was ended"
            stranger.communicate()

    settled.does(scene, settled.directory)


@linux_only
def test_a_server_we_cannot_see_is_never_doubled(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with socket.socket(socket.AF_UNIX) as elsewhere:
            elsewhere.bind(str(directory / "postgres" / ".s.PGSQL.5432"))
            elsewhere.listen()
            assert "perhaps in another container" in refusal(EmbeddedServer(directory))

    settled.does(scene, settled.directory)


def test_data_of_another_major_version_is_refused_untouched(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        version = directory / "postgres" / "PG_VERSION"
        version.write_text("16\n")
        before = sorted((path, path.stat().st_mtime_ns) for path in (directory / "postgres").rglob("*"))
        said = refusal(EmbeddedServer(directory))
        assert "holds data of PostgreSQL 16, and our programs are version 18" in said
        assert "pg_dumpall" in said
        assert sorted((path, path.stat().st_mtime_ns) for path in (directory / "postgres").rglob("*")) == before
        version.write_text("18\n")

    settled.does(scene, settled.directory)


def test_a_folder_of_something_else_is_refused_untouched(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        diary = directory / "postgres" / "diary.txt"
        diary.parent.mkdir(parents=True)
        diary.write_text("dear diary")
        assert "is not empty and is no PostgreSQL data" in refusal(EmbeddedServer(directory))
        assert diary.read_text() == "dear diary"
        assert list(diary.parent.iterdir()) == [diary]

    operator.does(scene, operator.directory)


def test_damaged_data_is_refused_with_the_servers_own_words(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        control = directory / "postgres" / "global" / "pg_control"
        control.rename(directory / "pg_control")
        said = refusal(EmbeddedServer(directory))
        (directory / "pg_control").rename(control)
        assert "ended while it started" in said
        assert "pg_control" in said
        assert str(directory / "postgres.log") in said

    settled.does(scene, settled.directory)


def test_what_a_half_made_start_left_is_cleared_and_links_are_not_followed(operator: Operator) -> None:
    def scene(home: Path) -> None:
        (home / "photos").mkdir()
        (home / "photos" / "hoa.jpg").write_text("flower")
        half_made = home / "data" / "postgres.making-x1"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("18\n")
        (half_made / "base").symlink_to(home / "photos")
        with EmbeddedServer(home / "data") as server:
            assert ask(server, "select 1") == "1"
        assert not half_made.exists()
        assert (home / "photos" / "hoa.jpg").read_text() == "flower"

    operator.does(scene, operator.home)


def test_a_wrong_setting_ends_the_start_with_the_last_lines_of_the_log(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        said = refusal(EmbeddedServer(directory, settings={"shared_buffers": "a lot"}))
        assert "ended while it started" in said
        assert 'invalid value for parameter "shared_buffers": "a lot"' in said
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"

    settled.does(scene, settled.directory)


def test_a_folder_we_may_not_write_is_refused_with_what_to_do(ordinary: Operator) -> None:
    def scene(home: Path) -> None:
        home.chmod(0o555)
        said = refusal(EmbeddedServer(home / "data"))
        home.chmod(0o755)
        assert "We may not read or write" in said
        assert str(home / "data") in said

    ordinary.does(scene, ordinary.home)


def test_a_file_where_the_folder_should_be_is_refused(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        directory.write_text("not a folder")
        assert "a file where a folder should be" in refusal(EmbeddedServer(directory))
        assert directory.read_text() == "not a folder"

    operator.does(scene, operator.directory)


@needs_root
@pytest.mark.parametrize(("options", "sentence"), [("ro", "is on a read-only file system"), ("mode=700,size=12m", "The disk is full")])
def test_a_read_only_and_a_full_disk_are_named(root: Operator, options: str, sentence: str) -> None:
    def scene(directory: Path, report: Callable[[str], None]) -> None:
        LIBC.unshare(0x00020000)  # CLONE_NEWNS: the mount is seen by this process alone, and goes with it
        if LIBC.mount(None, b"/", None, 0x44000, None):  # MS_REC | MS_PRIVATE
            report("no mounts here")
            return
        directory.mkdir()
        flags = 1 if options == "ro" else 0
        assert LIBC.mount(b"tmpfs", os.fsencode(directory), b"tmpfs", flags, b"mode=700" if flags else options.encode()) == 0
        said = refusal(EmbeddedServer(directory))
        assert not (directory / "postgres").exists()
        assert list(directory.glob("postgres.making-*")) == []
        report(said.splitlines()[0])

    with root.supervises(scene) as supervisor:
        said = supervisor.report()
        supervisor.wait()
    if said == "no mounts here":
        pytest.skip("this machine does not let root mount a small disk")
    assert sentence in said
    assert "choose another --data-dir" in said


def _programs(folder: Path, script: str) -> PostgresBinaries:
    folder.mkdir()
    postgres = folder / "postgres"
    postgres.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) 18.4' && exit\n{script}\n")
    postgres.chmod(0o755)
    (folder / "initdb").symlink_to(embedded_binaries().initdb)
    return PostgresBinaries(folder)


def test_a_start_that_stumbles_over_the_last_traces_of_a_killed_server_is_tried_again(settled: Operator) -> None:
    def scene(home: Path) -> None:
        stumble = "echo 'FATAL:  lock file \"postmaster.pid\" already exists'; exit 1"
        twice = f'n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -lt 2 ] && {{ {stumble}; }}'
        programs = _programs(home / "bin", f'{twice}; exec "{embedded_binaries().postgres}" "$@"')
        with EmbeddedServer(home / "data", programs) as server:
            assert ask(server, "select 1") == "1"
        tries = home / "data" / "postgres" / "tries"
        assert tries.read_text() == "3\n"
        tries.unlink()

    settled.does(scene, settled.home)


def test_a_server_that_never_answers_is_ended_at_the_deadline(settled: Operator) -> None:
    def scene(home: Path) -> None:
        server = EmbeddedServer(home / "data", _programs(home / "bin", "echo pid $$; exec sleep 600"))
        said = refusal(server, deadline_seconds=1)
        assert "did not answer in time" in said
        silent = re.search(r"pid (\d+)", said)
        assert silent is not None
        assert not Path(f"/proc/{silent[1]}").exists()

    settled.does(scene, settled.home)


def test_programs_that_do_not_run_are_named(operator: Operator) -> None:
    def scene(home: Path) -> None:
        programs = _programs(home / "bin", "")
        programs.postgres.write_text("#!/bin/sh\necho cannot load a library; exit 127\n")
        said = refusal(EmbeddedServer(home / "data", programs))
        assert str(programs.postgres) in said
        assert "cannot load a library" in said

    operator.does(scene, operator.home)


def test_the_wheels_programs_are_found_without_importing_it() -> None:
    finding = (
        "import sys; from lead_signals.database.embedded.postgres_binaries import embedded_binaries, WHEEL; "
        "assert embedded_binaries().initdb.is_file(); assert not [name for name in sys.modules if name.startswith(WHEEL)]"
    )
    service = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", finding], check=True, cwd=service)


def test_without_the_wheel_we_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_binaries, "WHEEL", "a_wheel_nobody_installed")
    with pytest.raises(EmbeddedServerError, match=r"pip install -r requirements.txt, or set DATABASE_URL"):
        embedded_binaries()


def test_the_systems_own_postgresql_will_do_too_and_versions_are_not_mixed(operator: Operator) -> None:
    others = [
        PostgresBinaries(path.parent) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")) if "/18/" not in str(path)
    ]
    if not others:
        pytest.skip("no other PostgreSQL is installed on this machine")

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory, others[0]) as server:
            version = int(ask(server, "show server_version_num")) // 10000
        assert f"holds data of PostgreSQL {version}, and our programs are version 18" in refusal(EmbeddedServer(directory))
        with EmbeddedServer(directory, others[0]) as server:
            assert ask(server, "select 1") == "1"

    operator.does(scene, operator.directory)
