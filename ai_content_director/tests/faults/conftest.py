"""What faults share: a receiver of follow-ups that listens for the length of one test."""

from collections.abc import Iterator

import pytest

from tests.postgres_alone import database_alone, postgres_alone
from tests.receiver import Receiver

__all__ = ["database_alone", "postgres_alone", "receiver"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of follow-ups for one test."""
    with Receiver() as receiver:
        yield receiver
