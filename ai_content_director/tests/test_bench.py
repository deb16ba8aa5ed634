"""The benches as short as they can be. `intake` finds what it should, loses nothing, and leaves nothing behind, even after a Ctrl-C;
`intent` measures everybody by the same texts, none of which was read before."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

from bench.bench_error import BenchError
from bench.comment_requests import CommentRequests, comments_of_a_round
from bench.different_texts import DifferentTexts, own_sentences, real_messages
from bench.http_connection import HttpConnection
from bench.intake_result import Count
from bench.intent_result import Reader, read_texts
from bench.naive_keywords import KEYWORDS, naive_keywords
from bench.sentences import OPENINGS, SENTENCES
from lead_signals import clock
from lead_signals.end_with_parent import end_with_parent
from lead_signals.intent.classify import classify
from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.json_body import parse_json_body
from lead_signals.platforms.catalogue import ADAPTERS
from lead_signals.platforms.signature_verdict import SignatureVerdict
from tests.product import clean_environment
from tests.waiting import wait_until

BENCH = Path(__file__).resolve().parents[2] / "bin" / "bench"
DEADLINE_SECONDS = 90


class Bench:
    """One `bin/bench intake`. What it throws away lies in `folder`, so that a test can see that it does."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.table_path, self.progress_path, self.numbers_path = (folder.with_suffix(end) for end in (".txt", ".log", ".json"))
        with self.table_path.open("wb") as table, self.progress_path.open("wb") as progress:
            self.process = subprocess.Popen(
                [BENCH, "intake", "--directory", folder, "--json", self.numbers_path, *arguments],
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                stdout=table,
                stderr=progress,
                start_new_session=True,
                preexec_fn=_as_at_a_terminal,  # noqa: PLW1509 - two calls of already loaded C functions
            )

    @property
    def progress(self) -> str:
        return self.progress_path.read_text(encoding="utf-8")

    @property
    def table(self) -> str:
        return self.table_path.read_text(encoding="utf-8")

    def family(self) -> list[psutil.Process]:
        """Every process below it, at this moment."""
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        return self.process.wait(DEADLINE_SECONDS)


def _as_at_a_terminal() -> None:
    """A suite started in the background would hand on that Ctrl-C is ignored. And it may not outlive the tests."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _end_with_parent is not None:
        _end_with_parent()


_end_with_parent = end_with_parent(signal.SIGTERM)


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can pass when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="ls-") as room:
        Path(room).chmod(0o711)
        yield Path(room)


@pytest.fixture(scope="module")
def finished(room: Path) -> Bench:
    """A bench that ran to its end."""
    (room / "whole").mkdir(mode=0o711)
    bench = Bench(room / "whole", "--seconds", "0.3", "--connections", "3")
    status = bench.wait()
    assert status == 0, bench.progress + bench.table
    return bench


def numbers(bench: Bench) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads(bench.numbers_path.read_bytes())
    return content


@pytest.mark.parametrize(
    ("what", "connections"),
    [
        ("API, 1 comment a request", 3),
        ("pgbench, the same rows", 3),
        ("API, 100 comments a request", 1),
        ("API, 100 comments a request", 8),
        ("API, half of the best rate", 32),
    ],
)
def test_the_table_has_a_line_for_each_measurement(finished: Bench, what: str, connections: int) -> None:
    (line,) = re.findall(rf"^{what} +{connections} +[\d,]+ +[\d,]+ +([\d.]+) +([\d.]+) .* 0$", finished.table, re.MULTILINE)
    p50, p99 = map(float, line)
    assert 0 < p50 <= p99


def test_every_lead_acknowledged_is_stored(finished: Bench) -> None:
    counts = numbers(finished)["counts"]
    assert [count["sender"] for count in counts] == ["single comments", "100 a request", "pgbench"]
    for count in counts:
        assert count["acknowledged"] == count["stored"] > 0
    assert "DIFFERENT" not in finished.table


def test_a_lead_missing_or_too_many_is_no_agreement() -> None:
    assert Count("single comments", acknowledged=7, stored=7).agrees
    assert not Count("single comments", acknowledged=7, stored=6).agrees
    assert not Count("single comments", acknowledged=7, stored=8).agrees


def test_pgbench_leaves_the_rows_that_the_api_leaves(finished: Bench) -> None:
    """Of tables that only the first comments of a post touch, there is more beside few leads; those are left out."""
    tables = {line["table"]: line for line in numbers(finished)["rows_per_lead"] if line["table"] != "content_items"}
    assert {"lead_signals", "receipts", "audit_events", "follow_ups"} <= tables.keys()
    for line in tables.values():
        assert line["pgbench_rows"] == pytest.approx(line["api_rows"], rel=0.3), line
        assert line["pgbench_bytes"] == pytest.approx(line["api_bytes"], rel=0.3), line


def test_durability_machine_and_memory_are_told(finished: Bench) -> None:
    assert "fsync on, synchronous_commit on, full_page_writes on" in finished.table
    (memory,) = numbers(finished)["memory"]
    assert memory["after"]["peak"] >= memory["after"]["resident"] > 10_000
    assert numbers(finished)["machine"]["syncs_per_second"] > 0


def test_nothing_is_left_of_a_bench_that_ended(finished: Bench) -> None:
    assert list(finished.folder.iterdir()) == []


def test_ctrl_c_leaves_nothing(room: Path) -> None:
    (room / "interrupted").mkdir(mode=0o711)
    bench = Bench(room / "interrupted", "--seconds", "60", "--connections", "2")
    try:
        wait_until(lambda: "API, 1 a request" in bench.progress or bench.process.poll() is not None, "it measures the API", 60)
        family = bench.family()
        assert len(family) > 2, bench.progress
        bench.process.send_signal(signal.SIGINT)
        assert bench.wait() == 1
    finally:
        if bench.process.poll() is None:
            bench.process.terminate()
            bench.wait()
    assert [process for process in family if process.is_running()] == []
    assert list(bench.folder.iterdir()) == []
    assert "Traceback" not in bench.progress
    assert bench.table == ""


def test_a_request_is_a_signed_delivery_of_new_comments() -> None:
    requests = CommentRequests("107730099", b"chia-khoa", "127.0.0.1:1")
    seen: set[str | None] = set()
    for comments in (1, 100, 100):
        head, body = requests.of(comments).split(b"\r\n\r\n", 1)
        lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
        headers = [(name.lower(), value) for name, value in lines]
        adapter = ADAPTERS["facebook"]
        assert adapter.verify(headers, body, [b"chia-khoa"], clock.now()) is SignatureVerdict.VALID
        assert dict(headers)[b"content-length"] == str(len(body)).encode()
        reading = adapter.read_signals(parse_json_body(body), clock.now())
        assert len(reading.signals) == comments
        assert {signal.channel_external_id for signal in reading.signals} == {"107730099"}
        seen |= {signal.external_message_id for signal in reading.signals}
    assert len(seen) == 201
    assert None not in seen


def test_some_bodies_are_escaped_as_meta_escapes() -> None:
    requests = CommentRequests("107730099", b"chia-khoa", "127.0.0.1:1")
    bodies = [requests.of(1).split(b"\r\n\r\n", 1)[1] for _ in range(40)]
    assert any(rb"\u1ea" in body and body.isascii() for body in bodies)
    assert any(not body.isascii() for body in bodies)


def test_a_round_of_comments_says_each_sentence_once() -> None:
    requests = CommentRequests("107730099", b"chia-khoa", "127.0.0.1:1")
    body = requests.of(comments_of_a_round()).split(b"\r\n\r\n", 1)[1]
    said = [signal.content_text for signal in ADAPTERS["facebook"].read_signals(parse_json_body(body), clock.now()).signals]
    assert sorted(said) == sorted(SENTENCES)


def test_about_a_third_of_the_texts_is_urgent() -> None:
    texts = [opening + sentence for opening in OPENINGS for sentence in SENTENCES]
    urgent = sum(classify(text).priority is Priority.HIGH for text in texts)
    assert 0.28 < urgent / len(texts) < 0.42


@pytest.mark.parametrize("cut", [1, 12, 40, 66, 90])
def test_an_answer_is_understood_wherever_the_network_cuts_it(cut: int) -> None:
    body = b'{"ok":true,"created":12,"lead_ids":["x"]}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    heard: list[tuple[int, int]] = []
    connection = HttpConnection(lambda _, status, created: heard.append((status, created)), lambda _: None)
    for piece in (answer[:cut], answer[cut:], b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"):
        connection.data_received(piece)
    assert heard == [(200, 12), (503, 0)]


def test_intent_measures_everybody_beside_the_naive_list(tmp_path: Path) -> None:
    path = tmp_path / "intent.json"
    done = subprocess.run(
        [BENCH, "intent", "--quick", "--rounds", "2", "--json", path],
        env=clean_environment(),
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    table = done.stdout.decode()
    assert done.returncode == 0, done.stderr.decode()
    for name, messages in (("naive keyword list", 600), ("rules alone", 300), ("the whole chain", 300)):
        assert re.search(rf"^{name} +own sentences +{messages} +[\d,]+ ", table, re.MULTILINE), table
    told = orjson.loads(path.read_bytes())
    for naive, rules, whole in zip(*(iter(told["lines"]),) * 3, strict=True):
        assert [line["reader"] for line in (naive, rules, whole)] == list(Reader)
        assert naive["times_naive"] == 1
        for line in (naive, rules, whole):
            assert line["texts"] == naive["texts"]
            assert 0 < line["p50_us"] <= line["p99_us"] <= line["max_us"]
            assert 0 < line["slowest_round"] <= line["per_second"] <= line["fastest_round"]
    assert set(told["engine"]) == {f"{step}_{unit}" for step in ("import", "rules", "statistics") for unit in ("seconds", "kib")}
    assert all(value is None or value >= 0 for value in told["engine"].values())


@pytest.mark.parametrize("texts_of", [own_sentences, real_messages])
def test_no_text_is_read_twice(texts_of: Callable[[int, int | None], DifferentTexts | None]) -> None:
    texts = texts_of(4, None)
    if texts is None:
        pytest.skip("no real messages beside the repository: own sentences prove the same")
    read = [text for pile in (texts.warm_up, *texts.rounds) for text in pile]
    assert len(read) == len(set(read)) > 1000
    assert len(texts.rounds) == 4
    assert max(map(len, texts.rounds)) - min(map(len, texts.rounds)) <= 1
    fewer = texts_of(4, 30)
    assert fewer is not None
    assert [len(pile) for pile in (fewer.warm_up, *fewer.rounds)] == [30] * 5


def test_more_rounds_than_texts_is_refused() -> None:
    with pytest.raises(BenchError, match="different texts for 1000000 rounds"):
        own_sentences(1_000_000, None)


def test_rates_and_ratios_by_hand() -> None:
    line = read_texts(Reader.RULES, "texts", [[1_000, 3_000], [2_000, 2_000], [4_000, 6_000]], [[500, 500], [1_000, 1_000], [1_000, 4_000]])
    # 4 µs, 4 µs and 10 µs for two texts each; 4, 2 and 2 times the naive list.
    assert (line.per_second, line.slowest_round, line.fastest_round) == pytest.approx((500_000, 200_000, 500_000))
    assert (line.p50_us, line.p99_us, line.max_us) == (2.0, 6.0, 6.0)
    assert (line.messages, line.times_naive) == (6, 2.0)


def test_the_naive_list_is_what_people_write_first() -> None:
    assert 50 <= sum(len(keywords) for _, _, keywords in KEYWORDS) <= 70
    assert naive_keywords("Cho tôi BÁO GIÁ") == (IntentLabel.INQUIRY_PRICE, 0.9, "new_auto")
    assert naive_keywords("Được khách đánh giá cao")[0] is IntentLabel.INQUIRY_PRICE  # that is what it costs
    assert naive_keywords("ok") == (IntentLabel.UNKNOWN, 0.3, "new_escalate")
