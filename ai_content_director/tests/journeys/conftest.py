"""What journeys share: a receiver that listens for the length of one test."""

from collections.abc import Iterator

import pytest

from tests.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of follow-ups for one test."""
    with Receiver() as receiver:
        yield receiver
