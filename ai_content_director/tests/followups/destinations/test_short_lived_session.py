"""The client is replaced every minute, and none is closed under a request."""

import asyncio
from unittest.mock import Mock

from aiohttp import ClientSession

from lead_signals.followups.destinations.short_lived_session import LIVES_SECONDS, ShortLivedSession


async def test_a_new_session_each_minute_and_the_old_one_ends_with_its_last_request() -> None:
    clock = Mock(return_value=0.0)
    made: list[ClientSession] = []

    def make() -> ClientSession:
        made.append(ClientSession())
        return made[-1]

    sessions = ShortLivedSession(make, monotonic=clock)
    with sessions.borrow() as first, sessions.borrow() as same:
        assert first is same
        clock.return_value = LIVES_SECONDS - 0.001
        with sessions.borrow() as still:
            assert still is first
        clock.return_value = LIVES_SECONDS
        with sessions.borrow() as second:
            assert second is not first
        assert not first.closed
    clock.return_value = LIVES_SECONDS * 3
    with sessions.borrow() as third:
        assert third is not second
    await sessions.close()
    assert [session.closed for session in made] == [True, True, True]
    assert len(made) == 3


async def test_a_request_keeps_its_session_open_also_when_another_of_the_same_session_ends() -> None:
    clock = Mock(return_value=0.0)
    sessions = ShortLivedSession(ClientSession, monotonic=clock)
    slow, quick, later = sessions.borrow(), sessions.borrow(), sessions.borrow()
    session = slow.__enter__()
    assert quick.__enter__() is session
    clock.return_value = LIVES_SECONDS
    assert later.__enter__() is not session
    quick.__exit__(None, None, None)
    await asyncio.sleep(0)
    assert not session.closed
    slow.__exit__(None, None, None)
    later.__exit__(None, None, None)
    await sessions.close()
    assert session.closed


async def test_nothing_is_opened_that_nobody_asked_for() -> None:
    make = Mock()
    await ShortLivedSession(make).close()
    make.assert_not_called()
