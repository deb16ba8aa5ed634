"""Meta's GET before it delivers: the challenge comes back for the right token and for nothing else."""

import httpx
import pytest

from tests.intake.open_door import WEBHOOK, open_door

NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"  # the handshake needs no database
RIGHT = {"hub.mode": "subscribe", "hub.verify_token": "mật-mã của tôi", "hub.challenge": "1158201444"}

REFUSED: dict[str, dict[str, str | None]] = {
    "a wrong token": {"hub.verify_token": "mật-mã của ai"},
    "no token": {"hub.verify_token": None},
    "an empty token": {"hub.verify_token": ""},
    "a token with NUL": {"hub.verify_token": "mật-mã của tôi\x00"},
    "a wrong mode": {"hub.mode": "unsubscribe"},
    "no mode": {"hub.mode": None},
    "no challenge": {"hub.challenge": None},
    "an empty challenge": {"hub.challenge": ""},
    "a challenge with markup": {"hub.challenge": "<script>alert(1)</script>"},
    "a challenge with a line end": {"hub.challenge": "1\r\nSet-Cookie: x=1"},
    "a challenge of 257 characters": {"hub.challenge": "1" * 257},
    "a challenge beyond ASCII": {"hub.challenge": "１２３"},
    "nothing at all": {"hub.mode": None, "hub.verify_token": None, "hub.challenge": None},
}


def query(changed: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**RIGHT, **changed}.items() if value is not None}


async def test_right() -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN="mật-mã của tôi") as client:
        for challenge in ("1158201444", "CHALLENGE_accepted-1", "a" * 256):
            answer = await client.get(WEBHOOK, params=query({"hub.challenge": challenge}))
            assert (answer.status_code, answer.text) == (200, challenge)
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("row", REFUSED)
async def test_refused(row: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN="mật-mã của tôi") as client:
        assert_refused_without_echo(await client.get(WEBHOOK, params=query(REFUSED[row])))


async def test_bytes_that_are_no_text() -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN="mật-mã của tôi") as client:
        assert_refused_without_echo(await client.get(f"{WEBHOOK}?hub.mode=subscribe&hub.verify_token=%ff%fe&hub.challenge=%ff"))


@pytest.mark.parametrize(
    "environment", [{}, {"FACEBOOK_VERIFY_TOKEN": ""}, {"FACEBOOK_VERIFY_TOKEN": "   "}], ids=["unset", "empty", "blank"]
)
async def test_without_a_token_of_ours_the_door_is_closed(environment: dict[str, str]) -> None:
    async with open_door(NOBODY_LISTENS, **environment) as client:
        for token in ("", "   ", "None", None):
            assert_refused_without_echo(await client.get(WEBHOOK, params=query({"hub.verify_token": token})))


def assert_refused_without_echo(answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert answer.text.startswith("Handshake refused: ")
    assert "set-cookie" not in answer.headers
    for echo in ("1158201444", "<script>", "mật", "１"):
        assert echo not in answer.text
