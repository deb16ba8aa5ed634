"""The embedded server in the ordinary course: first start, later starts, long paths, modes, the log."""

import asyncio
import os
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from lead_signals.database.embedded import server_user, socket_folder
from lead_signals.database.embedded.postgres_binaries import embedded_binaries
from lead_signals.database.embedded_server import LOG_LIMIT_BYTES, EmbeddedServer
from tests.database.embedded_operators import (
    Operator,
    Shelf,
    ask,
    home_of,
    mode,
    processes_on,
)


def test_first_start_makes_safe_private_data(operator: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            settings = "fsync synchronous_commit full_page_writes data_checksums listen_addresses server_encoding unix_socket_permissions"
            answers = [ask(server, f"show {name}") for name in settings.split()]
            assert answers == ["on", "on", "on", "on", "", "UTF8", "0700"]
            assert ask(server, "select datcollate from pg_database where datname = 'template0'") in ("C.UTF-8", "C")
            assert server.pid in processes_on(directory)
            runner = Path(f"/proc/{server.pid}").stat().st_uid
            assert runner != 0
            assert runner == (directory / "postgres").stat().st_uid
        assert sorted(path.name for path in directory.iterdir()) == ["lock", "postgres", "postgres.log"]
        assert [mode(directory / name) for name in ("lock", "postgres", "postgres.log")] == [0o600, 0o700, 0o600]
        assert mode(directory) & 0o007 == 0
        assert processes_on(directory) == []

    operator.does(scene, operator.directory)


def test_second_start_keeps_the_data_and_start_is_idempotent(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        server = EmbeddedServer(directory)
        with server:
            ask(server, "drop table if exists calls", "create table calls (phone text)", "insert into calls values ('0900 000 001')")
            first = server.pid
            server.start()
            assert server.pid == first
        server.stop()
        assert not server.is_running()
        with server:
            assert server.pid != first
            assert ask(server, "select phone from calls") == "0900 000 001"

    settled.does(scene, settled.directory)


def test_extra_settings_reach_the_server(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory, settings={"max_connections": "17", "work_mem": "5MB"}) as server:
            assert ask(server, "select current_setting('max_connections') || current_setting('work_mem')") == "175MB"

    settled.does(scene, settled.directory)


@pytest.mark.parametrize("name", ["data", "dữ liệu, của 'Hoa' \"100%\" a:b?c&d", "x" * 120])
def test_every_driver_reaches_it_whatever_the_folder_is_called(name: str, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drivers(server: EmbeddedServer) -> list[object]:
        connection = await asyncpg.connect(server.url("Bán hàng", "postgres"))
        direct = await connection.fetchval("select current_user")
        await connection.close()
        engine = create_async_engine(server.url("Bán hàng", "postgres").replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as session:
            through_engine = await session.scalar(text("select current_user"))
        await engine.dispose()
        return [direct, through_engine]

    monkeypatch.setenv("PGPORT", "6543")
    us = Operator(os.geteuid(), os.getegid(), Path())
    with home_of(us.uid, us.gid) as home, shelf.lend(us, home / name), EmbeddedServer(home / name) as server:
        ask(server, 'drop role if exists "Bán hàng"', 'create role "Bán hàng" login')
        assert asyncio.run(drivers(server)) == ["Bán hàng", "Bán hàng"]


def test_a_long_path_gets_a_private_short_socket_folder(operator: Operator, shelf: Shelf) -> None:
    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"
            folder = socket_folder.choose_socket_folder(directory / "postgres", server_user.choose_server_user(directory / "postgres"))
            assert folder != directory / "postgres"
            assert mode(folder) == 0o700
            assert folder.stat().st_uid == (directory / "postgres").stat().st_uid
        assert not folder.exists()
        folder.symlink_to(directory)  # somebody else took the name
        try:
            for _ in range(2):
                with EmbeddedServer(directory) as server:
                    assert ask(server, "select 1") == "1"
                    other = socket_folder.choose_socket_folder(
                        directory / "postgres", server_user.choose_server_user(directory / "postgres")
                    )
                    assert EmbeddedServer(directory).superuser_url() == server.superuser_url()
                    assert (other != folder, mode(other), other.stat().st_uid) == (True, 0o700, (directory / "postgres").stat().st_uid)
                assert not other.exists()
            other.mkdir(mode=0o755)  # and the next one too
            with EmbeddedServer(directory) as server:
                assert ask(server, "select 1") == "1"
            assert [path.name for path in directory.iterdir() if path.name == socket_folder.REMEMBERED]
            other.rmdir()
        finally:
            folder.unlink()

    directory = operator.home / ("long" * 20) / ("path" * 20)
    with shelf.lend(operator, directory):
        operator.does(scene, directory)


def test_the_log_is_bounded_and_holds_no_words_of_people(settled: Operator) -> None:
    def scene(directory: Path) -> None:
        log = directory / "postgres.log"
        log.touch(mode=0o600)
        os.truncate(log, LOG_LIMIT_BYTES + 1)
        with EmbeddedServer(directory) as server:
            assert (directory / "postgres.log.1").stat().st_size == LOG_LIMIT_BYTES + 1
            ask(
                server,
                "drop table if exists calls",
                "create table calls (words text primary key)",
                "insert into calls values ('call Hoa on 0900 000 001')",
            )
            with pytest.raises(AssertionError, match="duplicate key"):
                ask(server, "insert into calls values ('call Hoa on 0900 000 001')")
        assert "duplicate key" in log.read_text()
        assert "Hoa" not in log.read_text()

    settled.does(scene, settled.directory)


def test_no_mode_outside_the_data_directory_changes(operator: Operator) -> None:
    private = operator.home / "private"
    private.mkdir(mode=0o700)
    os.chown(private, operator.uid, operator.gid)

    def watched() -> dict[Path, tuple[int, int, int]]:
        wheel = embedded_binaries().directory.parent.parent
        paths = {*private.parents, private, *wheel.parents, wheel, *wheel.rglob("*")}
        return {path: (path.lstat().st_mode, path.lstat().st_uid, path.lstat().st_gid) for path in paths}

    def scene(directory: Path) -> None:
        with EmbeddedServer(directory) as server:
            assert ask(server, "select 1") == "1"

    before = watched()
    operator.does(scene, private / "data")
    assert watched() == before
