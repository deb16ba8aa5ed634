"""`bin/bench followups` as short as it can be: everything arrives once, and what it tells is what happened."""

import asyncio
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from bench.follow_up_sink import SinkConnection
from bench.follow_ups_result import Kept, Rate, Sample, Sender, freshness, kept, slices
from bench.fresh_comments import urgent_sentences
from bench.sentences import OPENINGS
from bench.sink_process import Arrival, sink_process
from lead_signals.intent.classify import classify
from lead_signals.intent.verdict import Priority
from tests.product import clean_environment

BENCH = Path(__file__).resolve().parents[2] / "bin" / "bench"
BACKLOG = 300
DEADLINE_SECONDS = 150


@pytest.fixture(scope="module")
def told() -> tuple[str, dict[str, Any], list[Path]]:
    """The table of a run, its numbers, and what it left in its folder."""
    with tempfile.TemporaryDirectory(prefix="ls-") as room:
        Path(room).chmod(0o711)  # PostgreSQL's own user must be able to pass when root runs the tests
        numbers, folder = Path(room) / "numbers.json", Path(room) / "data"
        folder.mkdir(mode=0o711)
        flags = ["--quick", "--backlog", str(BACKLOG), "--seconds", "1", "--fresh", "5"]
        done = subprocess.run(
            [BENCH, "followups", *flags, "--directory", folder, "--json", numbers],
            env=clean_environment(),
            capture_output=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        return done.stdout.decode(), orjson.loads(numbers.read_bytes()), list(folder.iterdir())


def test_every_promise_arrived_once_and_nothing_is_left(told: tuple[str, dict[str, Any], list[Path]]) -> None:
    table, numbers, left = told
    assert re.search(r"^by webhook-id +([\d,]+) +\1 +0 +0 +0 +0 +equal$", table, re.MULTILINE), table
    assert numbers["agrees"] is True
    light, drain = numbers["freshness"]
    assert light["refused"] == drain["refused"] == 0
    # One more than the backlog came through the door: the one that all of it is made like.
    assert numbers["kept"]["promised"] == BACKLOG + 1 + light["comments"] + drain["comments"]
    assert left == []


def test_each_sender_has_its_line_and_the_plain_loops_are_the_measure(told: tuple[str, dict[str, Any], list[Path]]) -> None:
    _, numbers, _ = told
    rates = {rate["sender"]: rate for rate in numbers["rates"]}
    assert rates.keys() == {sender.value for sender in Sender}
    assert rates["drain"]["deliveries"] == BACKLOG + 1 + numbers["freshness"][1]["comments"]
    assert rates["plain_many"]["of_plain_loops"] == 1
    assert rates["drain"]["of_plain_loops"] == pytest.approx(rates["drain"]["per_second"] / rates["plain_many"]["per_second"])
    assert rates["light"]["of_plain_loops"] is None
    assert {"worker", "PostgreSQL", "sink", "API", "driver", "others"} == rates["drain"]["cores_busy"].keys()
    for fresh in numbers["freshness"]:
        assert 0 < fresh["p50_ms"] <= fresh["p95_ms"] <= fresh["max_ms"]


def test_a_core_second_counts_the_sender_and_postgresql() -> None:
    cores: dict[str, float | None] = {"worker": 0.5, "PostgreSQL": 0.3, "driver": 0.1, "sink": 0.9}
    assert Rate(Sender.DRAIN, 20, 1_600, 2.0, cores).per_core_second == pytest.approx(1_000)
    assert Rate(Sender.PLAIN_MANY, 20, 1_600, 2.0, cores).per_core_second == pytest.approx(2_000)
    assert Rate(Sender.DRAIN, 20, 1_600, 2.0, {**cores, "worker": None}).per_core_second is None


def test_promises_are_compared_one_by_one() -> None:
    states = {"msg_1": "delivered", "msg_2": "delivered", "msg_3": "retrying"}
    arrivals = [Arrival("msg_1", "c_1", 1.0), Arrival("msg_2", "c_2", 2.0), Arrival("msg_2", "c_2", 3.0), Arrival("msg_9", "c_9", 4.0)]
    assert kept(states, arrivals) == Kept(promised=3, arrived=3, lost=1, repeated=1, unknown=1, not_delivered=1)
    assert not kept(states, arrivals).agrees
    assert kept({"msg_1": "delivered"}, arrivals[:1]).agrees


def test_a_comment_is_told_about_when_it_arrives_first() -> None:
    arrivals = [Arrival("msg_1", "c_1", 10.1), Arrival("msg_1", "c_1", 19.0), Arrival("msg_2", "c_2", 10.7)]
    fresh = freshness(Sender.DRAIN, {"c_1": 10.0, "c_2": 10.4, "c_3": 10.5}, 0, arrivals)
    assert (fresh.comments, fresh.p50_ms, fresh.max_ms) == (3, pytest.approx(100), pytest.approx(300))


def test_the_first_tenth_is_compared_with_the_last() -> None:
    moments = [number * 0.1 for number in range(50)] + [5 + number * 0.2 for number in range(50)]
    compared = slices(moments)
    assert (compared.first_per_second, compared.last_per_second) == pytest.approx((10, 5))
    assert compared.last_of_first == pytest.approx(0.5)
    assert (compared.first_per_core_second, compared.last_per_core_second) == (None, None)


def test_the_tenths_are_compared_by_what_they_cost_too() -> None:
    looks = [Sample(0, 5.0), Sample(8, 5.2), Sample(40, 6.0), Sample(89, 7.0), Sample(91, 7.1), Sample(99, 7.5), Sample(104, 9.0)]
    compared = slices([number * 0.1 for number in range(100)], looks)
    assert (compared.first_per_core_second, compared.last_per_core_second) == pytest.approx((40, 20))


def test_fresh_comments_are_urgent_whatever_stands_before_them() -> None:
    texts = [opening + sentence for opening in OPENINGS for sentence in urgent_sentences()]
    assert len(texts) >= 3 * len(OPENINGS)
    assert {classify(text).priority for text in texts} == {Priority.HIGH}


@pytest.mark.parametrize("cut", [1, 30, 90, 118, 140])
async def test_the_sink_understands_a_post_wherever_the_network_cuts_it(cut: int) -> None:
    body = b'{"lead_id":"x","external_message_id":"881_77"}'
    post = b"POST /webhook/lead HTTP/1.1\r\nHost: x\r\nwebhook-id: msg_ab\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    arrivals: list[bytes] = []
    sink = SinkConnection(arrivals, 0)
    before = time.perf_counter()
    for piece in (post[:cut], post[cut:], post + post[:cut], post[cut:]):
        sink.data_received(piece)
    await asyncio.sleep(0)
    assert [line.split(b" ")[:2] for line in arrivals] == [[b"msg_ab", b"881_77"]] * 3
    assert all(before <= float(line.split(b" ")[2]) + 1e-5 for line in arrivals)


def test_the_sink_tells_what_came() -> None:
    with sink_process(answer_ms=0) as sink:
        assert (sink.count(), list(sink.arrivals())) == (0, [])
