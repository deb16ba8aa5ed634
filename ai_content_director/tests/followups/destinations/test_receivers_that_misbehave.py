"""Receivers that hang, trickle, babble, bomb or hang up: each attempt ends as one word, in its time, and the next finds a clean client."""

import asyncio
import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lead_signals.followups.destinations.bounded_answer import HEAD_READ_LIMIT_BYTES
from lead_signals.followups.destinations.http_post import ANSWER_KEPT_BYTES
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.raw_receiver import OK, Answer, Talk, raw_receiver, says, status

ATTEMPT_SECONDS = 1.0
NEVER_ENDS_SECONDS = 30.0  # what is recorded is far below; none of these receivers would end before
KERNELS_BUFFER_BYTES = 16 * 1024 * 1024  # for somebody who has stopped reading
GROWTH_LIMIT_BYTES = 5_000_000


async def hangs(talk: Talk) -> None:
    await talk.wait_for_the_end()


async def hangs_after_headers(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
    await talk.wait_for_the_end()


async def trickles_headers(talk: Talk) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 500:
        await talk.say(bytes([byte]))
        await talk.wait(0.05)


async def trickles_body(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 503 Busy\r\ncontent-length: 600\r\n\r\n")
    for _ in range(600):
        await talk.say(b"x")
        await talk.wait(0.05)


HINT = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"


async def trickles_hints(talk: Talk) -> None:
    while True:
        await talk.say(HINT)
        await talk.wait(0.05)


async def hints_for_ever(talk: Talk) -> None:
    while True:
        await talk.say(HINT * 1000)


async def hints_and_answers(talk: Talk) -> None:
    await talk.say(HINT * 20 + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def answers_in_one_breath(talk: Talk) -> None:
    """Head and body together are more than a head may have."""
    await talk.say(b"HTTP/1.1 500 Long\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000)


async def resets(talk: Talk) -> None:
    talk.writer.transport.abort()


async def resets_mid_body(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 500 Oh\r\ncontent-length: 1000\r\n\r\nhalf")
    talk.writer.transport.abort()


async def hangs_up_mid_headers(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\nconte")
    talk.writer.close()


async def half_closes(talk: Talk) -> None:
    talk.writer.write_eof()
    await talk.wait_for_the_end()


async def a_gigabyte(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 500 Long\r\ncontent-length: 1073741824\r\n\r\n")
    for _ in range(16 * 1024):
        await talk.say(b"x" * 65536)


async def a_million_headers(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1000):
        await talk.say(b"x-more: 1\r\n" * 1000)
    await talk.say(b"content-length: 0\r\n\r\n")


async def a_giant_header(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 200 OK\r\nx-long: ")
    for _ in range(1000):
        await talk.say(b"x" * 65536)


async def a_giant_chunk_size(talk: Talk) -> None:
    await talk.say(b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n" + b"F" * 100_000 + b"\r\n")
    await talk.wait_for_the_end()


BOMB = gzip.compress(b"\0" * 50_000_000)

# What comes of it: kind, status, the words it may have, and whether only the clock ends it.
MEETINGS: dict[str, tuple[Answer, str, int | None, set[str | None]]] = {
    "hangs": (hangs, "try_again", None, {"Timeout"}),
    "hangs_after_headers": (hangs_after_headers, "delivered", 200, {None}),
    "trickles_headers": (trickles_headers, "try_again", None, {"Timeout"}),
    "trickles_body": (trickles_body, "try_again", 503, {"HTTP503"}),
    "trickles_hints": (trickles_hints, "try_again", None, {"Timeout"}),
    "hints_for_ever": (hints_for_ever, "try_again", None, {"NotHTTP"}),
    "hints_and_answers": (hints_and_answers, "delivered", 200, {None}),
    "answers_in_one_breath": (answers_in_one_breath, "try_again", 500, {"HTTP500"}),
    "resets": (resets, "try_again", None, {"ConnectionLost"}),
    "resets_mid_body": (resets_mid_body, "try_again", 500, {"HTTP500"}),
    "hangs_up_mid_headers": (hangs_up_mid_headers, "try_again", None, {"ConnectionLost"}),
    "half_closes": (half_closes, "try_again", None, {"ConnectionLost"}),
    "a_gigabyte": (a_gigabyte, "try_again", 500, {"HTTP500"}),
    "a_million_headers": (a_million_headers, "try_again", None, {"NotHTTP", "ConnectionLost"}),
    "a_giant_header": (a_giant_header, "try_again", None, {"NotHTTP", "ConnectionLost"}),
    "a_giant_status_line": (says(b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n"), "try_again", None, {"NotHTTP", "ConnectionLost"}),
    "http_0_9": (says(b"<html>good day to you</html>\r\n"), "try_again", None, {"NotHTTP"}),
    "a_tls_alert": (says(b"\x15\x03\x01\x00\x02\x02\x16"), "try_again", None, {"NotHTTP"}),
    "two_lengths": (says(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"), "try_again", None, {"NotHTTP"}),
    "a_negative_length": (says(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "try_again", None, {"NotHTTP"}),
    "a_bomb": (status(500, BOMB, "content-encoding: gzip"), "try_again", 500, {"HTTP500"}),
    "not_gzip_at_all": (status(200, b"plain", "content-encoding: gzip"), "delivered", 200, {None}),
    "switches_protocols": (says(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"), "try_again", 101, {"HTTP101"}),
    "status_200_of_an_error": (status(200, b'{"error":"workflow is broken"}'), "delivered", 200, {None}),
    "gone": (status(410), "give_up", 410, {"HTTP410"}),
}
ENDED_BY_THE_CLOCK = {"hangs", "hangs_after_headers", "trickles_headers", "trickles_body", "trickles_hints"}


@pytest.mark.parametrize("name", MEETINGS)
async def test_a_receiver(name: str, outbound: OpenOutbound) -> None:
    answer, kind, code, words = MEETINGS[name]
    async with raw_receiver(answer) as receiver, raw_receiver(OK) as good, outbound(timeout_seconds=ATTEMPT_SECONDS) as out:
        began = time.monotonic()
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
        duration_seconds = time.monotonic() - began
        after = await out.webhook(f"http://127.0.0.1:{good.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
    assert (outcome.kind, outcome.http_status) == (kind, code)
    assert outcome.error_class in words
    assert duration_seconds < NEVER_ENDS_SECONDS
    assert (duration_seconds >= ATTEMPT_SECONDS) == (name in ENDED_BY_THE_CLOCK)
    assert len(outcome.answer_head or b"") <= ANSWER_KEPT_BYTES
    assert after.kind is OutcomeKind.DELIVERED


async def test_hints_without_end_are_not_listened_to(outbound: OpenOutbound) -> None:
    """The attempt has ten seconds, and neither it nor its neighbour waits for them: it ends by the bytes, and no walk through them holds
    the loop."""
    taken = 0

    async def counts(talk: Talk) -> None:
        nonlocal taken
        while True:
            await talk.say(HINT * 1000)
            taken += 1000 * len(HINT)

    async with raw_receiver(counts) as receiver, outbound() as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
    assert (outcome.kind, outcome.error_class) == (OutcomeKind.TRY_AGAIN, "NotHTTP")
    assert taken < HEAD_READ_LIMIT_BYTES + KERNELS_BUFFER_BYTES


@pytest.mark.parametrize("behind", [HINT * 3, b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"])
async def test_what_comes_behind_an_answer_is_not_the_next_answer(behind: bytes, outbound: OpenOutbound) -> None:
    first_is_over, said = asyncio.Event(), asyncio.Event()

    async def says_more_than_asked(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await first_is_over.wait()
        if not said.is_set():
            await talk.say(behind)
            said.set()

    async with raw_receiver(says_more_than_asked) as receiver, raw_receiver(OK) as good, outbound() as out:
        webhook = out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True)
        outcomes = [await webhook.send("msg_1", b"{}", at=AT)]
        first_is_over.set()
        await said.wait()
        await out.webhook(f"http://127.0.0.1:{good.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)  # it has come by then
        outcomes.append(await webhook.send("msg_1", b"{}", at=AT))
    assert [outcome.http_status for outcome in outcomes] == [200, 200]
    assert receiver.connections == 2, "a connection that says more than it was asked is given up"


async def test_a_bomb_stays_packed(outbound: OpenOutbound) -> None:
    async with raw_receiver(status(200, BOMB, "content-encoding: gzip")) as receiver, outbound() as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
    assert outcome.answer_head == BOMB[:ANSWER_KEPT_BYTES]


async def test_a_chunk_of_a_giant_size(outbound: OpenOutbound) -> None:
    """Whether the status line was understood before the nonsense depends on how the bytes came; it ends either way."""
    async with raw_receiver(a_giant_chunk_size) as receiver, outbound(timeout_seconds=ATTEMPT_SECONDS) as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
    assert (outcome.http_status, outcome.error_class) in ((503, "HTTP503"), (None, "NotHTTP"))


async def test_a_gigabyte_is_not_listened_to(outbound: OpenOutbound) -> None:
    sent = 0

    async def counts(talk: Talk) -> None:
        nonlocal sent
        await talk.say(b"HTTP/1.1 500 Long\r\ncontent-length: 1073741824\r\n\r\n")
        for _ in range(16 * 1024):
            await talk.say(b"x" * 65536)
            sent += 65536

    async with raw_receiver(counts) as receiver, outbound() as out:
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", b"{}", at=AT)
    assert outcome.error_class == "HTTP500"
    assert sent < KERNELS_BUFFER_BYTES


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc, which is Linux")
async def test_memory_does_not_grow() -> None:
    """A process of its own sends to bad receivers over and over, and looks at its own memory."""
    bad = {
        name: MEETINGS[name][0] for name in ("a_million_headers", "a_giant_header", "a_bomb", "resets_mid_body", "http_0_9", "half_closes")
    }
    async with raw_receiver(OK) as good, raw_receiver(a_gigabyte) as gigabyte:
        servers = [raw_receiver(answer) for answer in bad.values()]
        receivers = [await server.__aenter__() for server in servers]
        script = Path(__file__).with_name("measure_memory.py")
        ports = [str(port) for port in (good.port, gigabyte.port, *(receiver.port for receiver in receivers))]
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(script), *ports, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        said, _ = await process.communicate()
        for server in servers:
            await server.__aexit__(None, None, None)
    assert process.returncode == 0
    measured = json.loads(said)
    sys.stdout.write(
        f"memory of the sender grew by {measured['grown_bytes']:,} bytes over a gigabyte and {measured['answers']} bad answers\n"
    )
    assert measured["answers"] >= 200
    assert measured["grown_bytes"] < GROWTH_LIMIT_BYTES
