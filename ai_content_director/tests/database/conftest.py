"""Operators of the embedded server: run as root, the suite plays the ordinary user too, as `nobody` in a process of its own.

Run as an ordinary user, the half that needs root is skipped, and says so.
"""

import os
import pwd
from collections.abc import Iterator

import pytest

from tests.database.embedded_operators import ROOT, Operator, Shelf, home_of, needs_root


@pytest.fixture
def root() -> Iterator[Operator]:
    with home_of(0, 0) as home:
        yield Operator(0, 0, home)


@pytest.fixture
def ordinary() -> Iterator[Operator]:
    nobody = pwd.getpwnam("nobody")
    uid, gid = (nobody.pw_uid, nobody.pw_gid) if ROOT else (os.geteuid(), os.getegid())
    with home_of(uid, gid) as home:
        yield Operator(uid, gid, home)


@pytest.fixture(params=[pytest.param("root", marks=needs_root), "ordinary"])
def operator(request: pytest.FixtureRequest) -> Operator:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Shelf]:
    with home_of(os.geteuid(), os.getegid()) as home:
        yield Shelf(home)


@pytest.fixture
def settled(operator: Operator, shelf: Shelf) -> Iterator[Operator]:
    """An operator whose server was started before."""
    with shelf.lend(operator, operator.directory):
        yield operator
