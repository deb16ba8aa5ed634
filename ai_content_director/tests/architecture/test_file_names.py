"""Floors that import-linter does not know: files are named for what they are, and tests for what they show."""

import ast
from collections import Counter
from pathlib import Path

SERVICE = Path(__file__).parents[2]
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "service", "services", "base", "misc", "core", "handlers", "models"}
POLLS = {"waiting.py", "bare_tree"}  # what waits for a condition; programs that run alone on a bare machine


def python_files(folder: str) -> list[Path]:
    found = sorted((SERVICE / folder).rglob("*.py"))
    assert len(found) > 20
    return found


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    for path in (*python_files("lead_signals"), *python_files("tests")):
        words = {part for name in path.relative_to(SERVICE).with_suffix("").parts for part in name.split("_")}
        assert not words & VAGUE, path


def test_every_file_begins_with_what_it_is() -> None:
    for path in (*python_files("lead_signals"), *python_files("tests"), *sorted((SERVICE / "migrations").rglob("*.py"))):
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path} does not say what it is"


def test_no_package_hands_on_what_others_made() -> None:
    for path in (SERVICE / "lead_signals").rglob("__init__.py"):
        held = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if not isinstance(node, ast.Expr)]
        is_the_version = path.parent.name == "lead_signals" and all(isinstance(node, ast.Assign) for node in held)
        assert not held or is_the_version, f"{path}: a slice's __init__ holds its story only"


def test_no_two_test_files_share_a_name() -> None:
    """Test folders are no packages: of two files with one name pytest would collect one."""
    names = Counter(path.name for path in python_files("tests") if path.name.startswith("test_"))
    assert [name for name, times in names.items() if times > 1] == []


def test_no_test_sleeps() -> None:
    for path in python_files("tests"):
        if POLLS & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called not in {"time.sleep", "sleep"}, f"{path} sleeps"
            assert called != "asyncio.sleep" or ast.unparse(node) == "asyncio.sleep(0)", f"{path} sleeps"


def test_only_the_lowest_floors_read_the_environment() -> None:
    """Settings are read once, at an entrance: everybody else is handed them."""
    readers = {
        str(path.relative_to(SERVICE / "lead_signals"))
        for path in python_files("lead_signals")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }
    assert {reader for reader in readers if not reader.startswith("database/")} == {"settings.py", "serve.py"}


def test_nobody_commits_below_the_entrances() -> None:
    """A slice's function is handed a session and leaves the end of its transaction to whoever opened it."""
    committing = {
        str(path.relative_to(SERVICE / "lead_signals"))
        for path in python_files("lead_signals")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}
    }
    assert committing == set()
