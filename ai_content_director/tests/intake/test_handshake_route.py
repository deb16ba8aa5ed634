"""Meta's GET before it delivers: the challenge comes back for the right token and for nothing else, on each address of Meta's."""

from urllib.parse import urlencode

import httpx
import pytest

from tests.intake.captured_logs import captured_logs
from tests.intake.open_door import open_door

NOBODY_LISTENS = "postgresql://lead_signals_app@127.0.0.1:1/lead_signals"  # the handshake needs no database
TOKEN = "mật-mã của tôi"
RIGHT = {"hub.mode": "subscribe", "hub.verify_token": TOKEN, "hub.challenge": "1158201444"}

REFUSED: dict[str, dict[str, str | None]] = {
    "a wrong token": {"hub.verify_token": "mật-mã của ai"},
    "no token": {"hub.verify_token": None},
    "an empty token": {"hub.verify_token": ""},
    "a token with NUL": {"hub.verify_token": f"{TOKEN}\x00"},
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
each_of_meta = pytest.mark.parametrize("address", ["/webhooks/facebook", "/webhooks/instagram", "/webhooks/whatsapp"])


def query(changed: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**RIGHT, **changed}.items() if value is not None}


@each_of_meta
async def test_right(address: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        for challenge in ("1158201444", "0058", "CHALLENGE_accepted-1", "a" * 256):
            assert_echoed(await client.get(address, params=query({"hub.challenge": challenge})), challenge)


@each_of_meta
async def test_right_with_the_dots_turned_to_underscores(address: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        underscored = {name.replace(".", "_"): value for name, value in RIGHT.items()}
        assert_echoed(await client.get(address, params=underscored), "1158201444")
        assert_refused_without_echo(await client.get(address, params={**underscored, "hub_verify_token": "mật-mã của ai"}))
        mixed = {"hub.mode": "subscribe", "hub_verify_token": TOKEN, "hub.challenge": "1158201444"}
        assert_echoed(await client.get(address, params=mixed), "1158201444")
        for wrong in ("mật-mã của ai", ""):  # the name with a dot is Meta's: the other one is no second try
            both = {**RIGHT, "hub.verify_token": wrong, "hub_verify_token": TOKEN}
            assert_refused_without_echo(await client.get(address, params=both))


@each_of_meta
@pytest.mark.parametrize("row", REFUSED)
async def test_refused(row: str, address: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        with captured_logs() as logs:
            assert_refused_without_echo(await client.get(address, params=query(REFUSED[row])))
    (told,) = logs.events("handshake_refused")
    assert told["platform"] == address.rpartition("/")[2]
    assert "m\\u1eadt" not in logs.text


@each_of_meta
async def test_of_a_repeated_parameter_the_last_counts(address: str) -> None:
    repeated: dict[str, tuple[str, str]] = {
        "hub.mode": ("unsubscribe", "subscribe"),
        "hub.verify_token": ("mật-mã của ai", TOKEN),
        "hub.challenge": ("<script>", "1158201444"),
    }
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        for name, (wrong, right) in repeated.items():
            others = [(other, value) for other, value in RIGHT.items() if other != name]
            assert_echoed(await client.get(f"{address}?{urlencode([*others, (name, wrong), (name, right)])}"), "1158201444")
            assert_refused_without_echo(await client.get(f"{address}?{urlencode([*others, (name, right), (name, wrong)])}"))


@each_of_meta
async def test_bytes_that_are_no_text(address: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        assert_refused_without_echo(await client.get(f"{address}?hub.mode=subscribe&hub.verify_token=%ff%fe&hub.challenge=%ff"))


@each_of_meta
@pytest.mark.parametrize(
    "environment", [{}, {"FACEBOOK_VERIFY_TOKEN": ""}, {"FACEBOOK_VERIFY_TOKEN": "   "}], ids=["unset", "empty", "blank"]
)
async def test_without_a_token_of_ours_the_door_is_closed(environment: dict[str, str], address: str) -> None:
    async with open_door(NOBODY_LISTENS, **environment) as client:
        for token in ("", "   ", "None", None):
            assert_refused_without_echo(await client.get(address, params=query({"hub.verify_token": token})))


@pytest.mark.parametrize("address", ["/webhooks/zalo", "/webhooks/tiktok"])
async def test_who_does_not_ask_before_delivering_gets_no_answer(address: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        answer = await client.get(address, params=RIGHT)
        assert (answer.status_code, answer.json()) == (405, {"ok": False, "error": "This address does not take that method."})
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_there_is_no_third_way_to_knock(method: str) -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        for platform in ("facebook", "instagram", "whatsapp", "zalo", "tiktok"):
            answer = await client.request(method, f"/webhooks/{platform}", params=RIGHT)
            assert answer.status_code == 405
            assert "1158201444" not in answer.text


async def test_a_platform_we_do_not_know_has_no_address() -> None:
    async with open_door(NOBODY_LISTENS, FACEBOOK_VERIFY_TOKEN=TOKEN) as client:
        for address in ("/webhooks/telegram", "/webhooks", "/webhooks/", "/webhooks/Facebook", "/webhooks/facebook/"):
            for method in ("GET", "POST"):
                assert (await client.request(method, address, params=RIGHT)).status_code == 404


def assert_echoed(answer: httpx.Response, challenge: str) -> None:
    assert (answer.status_code, answer.content) == (200, challenge.encode())
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def assert_refused_without_echo(answer: httpx.Response) -> None:
    assert answer.status_code == 403
    assert answer.text.startswith("Handshake refused: ")
    assert "set-cookie" not in answer.headers
    for echo in ("1158201444", "<script>", "mật", "１"):
        assert echo not in answer.text
