"""Asking a model over HTTP: what leaves us, and that no answer, however strange, is more than a value."""

import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.asked import Asked
from lead_signals.language_model.bounded_transport import ANSWER_READ_LIMIT_BYTES
from lead_signals.language_model.model_client import OpenAIModel, open_model
from lead_signals.language_model.opinion import Opinion, Tokens
from lead_signals.language_model.prompt import write_prompt
from lead_signals.language_model.refusal import Refusal, RefusalKind
from tests.graph_api.graph_answers import html_page, redirects_to, says, says_bytes
from tests.language_model.model_server import (
    TEN_MEGABYTES,
    USAGE,
    ModelServer,
    answers_with_ten_megabytes,
    completion,
    is_not_utf8,
    knows_no_schemas,
    model_server,
    opines,
    refuses,
    streams_garbage,
    writes,
)
from tests.receiver import Answer
from tests.receiver_answers import (
    hangs_after_headers,
    hangs_before_headers,
    resets,
    talks_nonsense,
    trickles_headers,
)

KEY = "sk-invented-key"
GOOD = json.dumps({"intent_label": "complaint", "confidence": 0.9})
WHOLE = json.dumps(completion([{"message": {"content": GOOD}, "finish_reason": "stop"}])).encode()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model's server, for one test."""
    with model_server() as server:
        yield server


@asynccontextmanager
async def model_at(server: ModelServer, *, timeout_seconds: float = 20.0) -> AsyncIterator[OpenAIModel]:
    async with open_model(api_key=KEY, base_url=server.base_url, name="vua-du-dung", timeout_seconds=timeout_seconds) as model:
        yield model


async def ask(server: ModelServer, text: str = "Shop ơi cho mình hỏi chút", *, timeout_seconds: float = 20.0) -> Asked:
    prompt = write_prompt(text)
    assert prompt is not None
    async with model_at(server, timeout_seconds=timeout_seconds) as model:
        return await model.ask(prompt)


async def test_an_answer_is_an_opinion_and_its_cost(server: ModelServer) -> None:
    server.answer = opines("complaint", 0.87654)
    assert await ask(server) == Asked(Opinion(IntentLabel.COMPLAINT, 0.877), Tokens(410, 17))


async def test_what_leaves_is_the_question_and_nothing_about_us(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-dau-vet")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-dau-vet")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-dau-vet")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "authorization: Bearer dau-vet\nx-tenant: dau-vet")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://dau-vet.invalid/v1")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await ask(server)
    (question,) = server.questions
    assert question.path == "/v1/chat/completions"
    host = server.base_url.removeprefix("http://").removesuffix("/v1")
    assert dict(question.headers) == {
        "host": host,
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(question.body)),
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "lead-signals",
        "connection": "keep-alive",
    }
    asked = question.asked
    assert set(asked) == {"model", "messages", "response_format", "max_tokens", "temperature"}
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("vua-du-dung", 64, 0)
    schema = asked["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["properties"]["intent_label"]["enum"] == [label.value for label in IntentLabel]
    assert schema["schema"]["additionalProperties"] is False


LIES: dict[str, Answer] = {
    "a label outside the set": opines("inquiry_refund"),
    "a label in capitals": opines("INQUIRY"),
    "a label that is a list": opines(["inquiry"]),
    "confidence in words": opines("inquiry", "high"),
    "confidence in quotes": opines("inquiry", "0.9"),
    "confidence true": opines("inquiry", confidence=True),
    "confidence null": opines("inquiry", None),
    "confidence above one": opines("inquiry", 1.01),
    "confidence below nought": opines("inquiry", -0.01),
    "confidence infinite": writes('{"intent_label":"inquiry","confidence":1e400}'),
    "confidence no number": writes('{"intent_label":"inquiry","confidence":NaN}'),
    "no confidence": writes('{"intent_label":"inquiry"}'),
    "one key more": opines("inquiry", 0.9, reason="<script>alert(1)</script>"),
    "two JSON objects": writes(GOOD + GOOD),
    "prose around JSON": writes(f"Sure! Here is the JSON you asked for: {GOOD}"),
    "JSON in a code fence": writes(f"```json\n{GOOD}\n```"),
    "a list": writes(f"[{GOOD}]"),
    "a word": writes("complaint"),
    "nothing": writes(""),
    "no content": writes(None),
    "content in parts": writes([{"type": "text", "text": GOOD}]),
    "a refusal": writes(GOOD, refusal="I cannot help with that."),
    "stopped for length": writes(GOOD, finish_reason="length"),
    "stopped by a filter": writes(GOOD, finish_reason="content_filter"),
    "a tool call": writes(GOOD, tool_calls=[{"id": "1", "type": "function", "function": {"name": "delete", "arguments": "{}"}}]),
    "no choices": says(completion([])),
    "two choices": says(completion([{"message": {"content": GOOD}, "finish_reason": "stop"}] * 2)),
    "choices in words": says(completion("complaint")),
    "a choice that is null": says(completion([None])),
    "a message in words": says(completion([{"message": GOOD, "finish_reason": "stop"}])),
    "an array": says([1, 2]),
    "an empty body": says_bytes(b""),
    "a page for people": html_page(),
    "not UTF-8": is_not_utf8(),
    "too deep": says_bytes(b'{"choices":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
    "compressed unasked": says_bytes(gzip.compress(WHOLE), 200, "content-encoding: gzip"),
    "ten megabytes": answers_with_ten_megabytes(),
    "ten megabytes unannounced": answers_with_ten_megabytes(announced=False),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_strange_answer_is_no_opinion(server: ModelServer, lie: str) -> None:
    server.answer = LIES[lie]
    asked = await ask(server)
    assert asked.outcome == Refusal(RefusalKind.INVALID)
    assert len(server.questions) == 1


async def test_what_is_sent_compressed_would_be_an_opinion_otherwise(server: ModelServer) -> None:
    server.answer = says_bytes(WHOLE)
    assert (await ask(server)).outcome == Opinion(IntentLabel.COMPLAINT, 0.9)


@pytest.mark.parametrize("usage", [{"prompt_tokens": -5, "completion_tokens": 10**30}, {"prompt_tokens": "many"}, [], 7])
async def test_a_strange_cost_counts_nothing(server: ModelServer, usage: object) -> None:
    server.answer = writes(GOOD, usage=usage)
    assert await ask(server) == Asked(Opinion(IntentLabel.COMPLAINT, 0.9), Tokens())


async def test_an_invalid_answer_is_paid_for_all_the_same(server: ModelServer) -> None:
    server.answer = writes("complaint")
    assert (await ask(server)).tokens == Tokens(USAGE["prompt_tokens"], USAGE["completion_tokens"])


FAILURES: dict[str, tuple[Answer, Refusal]] = {
    "429 with seconds": (refuses(429, "retry-after: 17"), Refusal(RefusalKind.RATE_LIMITED, 17.0)),
    "429 with a day": (refuses(429, "retry-after: 86400"), Refusal(RefusalKind.RATE_LIMITED, 3600.0)),
    "429 with a date long past": (refuses(429, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT"), Refusal(RefusalKind.RATE_LIMITED, 0.0)),
    "429 with nonsense": (refuses(429, "retry-after: soon"), Refusal(RefusalKind.RATE_LIMITED)),
    "500": (refuses(500), Refusal(RefusalKind.SERVER_ERROR)),
    "503": (refuses(503, "retry-after: 5"), Refusal(RefusalKind.SERVER_ERROR, 5.0)),
    "401": (refuses(401), Refusal(RefusalKind.KEY_REFUSED)),
    "403": (refuses(403), Refusal(RefusalKind.KEY_REFUSED)),
    "404": (refuses(404), Refusal(RefusalKind.NOT_FOUND)),
    "400": (refuses(400, message="The model is asleep."), Refusal(RefusalKind.REFUSED)),
    "418 as a page": (html_page(418), Refusal(RefusalKind.REFUSED)),
    "an error of ten megabytes": (says_bytes(b"x" * TEN_MEGABYTES, 500), Refusal(RefusalKind.SERVER_ERROR)),
    "a reset": (resets, Refusal(RefusalKind.CONNECTION)),
    "no HTTP": (talks_nonsense, Refusal(RefusalKind.CONNECTION)),
    "a stream cut off": (streams_garbage, Refusal(RefusalKind.CONNECTION)),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_is_a_value_and_is_not_tried_again(server: ModelServer, failure: str) -> None:
    server.answer, expected = FAILURES[failure]
    assert (await ask(server)).outcome == expected
    assert len(server.questions) == 1


# Codecs of Python's that make bytes or words of bytes, or words of other words: any server may name one as its charset.
CODECS = ["hex", "zlib_codec", "bz2_codec", "base64", "rot13", "utf-7", "punycode", "unicode_escape", "utf-16", "no-such-codec", '"hex"']


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("status", "kind"), [(400, RefusalKind.REFUSED), (403, RefusalKind.KEY_REFUSED), (503, RefusalKind.SERVER_ERROR)])
async def test_a_refusal_in_any_charset_is_that_refusal(server: ModelServer, status: int, kind: RefusalKind, codec: str) -> None:
    server.answer = says_bytes(b"6e6f", status, content_type=f"text/plain; charset={codec}")
    assert (await ask(server)).outcome == Refusal(kind)


@pytest.mark.parametrize("codec", CODECS)
async def test_an_opinion_in_any_charset_is_that_opinion(server: ModelServer, codec: str) -> None:
    server.answer = says_bytes(WHOLE, content_type=f"application/json; charset={codec}")
    assert (await ask(server)).outcome == Opinion(IntentLabel.COMPLAINT, 0.9)


async def test_what_nobody_thought_of_is_a_value_too(server: ModelServer, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def stumbles(*_: object) -> float:
        raise AssertionError("DAU-VET")

    monkeypatch.setattr("lead_signals.language_model.model_client.retry_after_seconds", stumbles)
    server.answer = refuses(503)
    assert await ask(server) == Asked(Refusal(RefusalKind.INVALID))
    assert "DAU-VET" not in "".join(capsys.readouterr())


async def test_a_redirect_is_not_followed(server: ModelServer) -> None:
    with model_server() as elsewhere:
        server.answer = redirects_to(f"{elsewhere.base_url}/chat/completions", 307)
        assert (await ask(server)).outcome == Refusal(RefusalKind.REFUSED)
        assert elsewhere.questions == ()


async def test_nobody_listening_is_a_value() -> None:
    with model_server() as gone:
        address = gone.base_url
    async with open_model(api_key=KEY, base_url=address, name="m", timeout_seconds=20) as model:
        prompt = write_prompt("Alo")
        assert prompt is not None
        assert (await model.ask(prompt)).outcome == Refusal(RefusalKind.CONNECTION)


@pytest.mark.parametrize("answer", [hangs_before_headers, hangs_after_headers, trickles_headers])
async def test_the_limit_is_over_all_of_it(server: ModelServer, answer: Answer) -> None:
    """A byte a second trips no limit of a single read: without one over the whole, this test would end by its own timeout."""
    server.answer = answer
    assert (await ask(server, timeout_seconds=0.4)).outcome == Refusal(RefusalKind.TIMEOUT)


async def test_ten_megabytes_are_not_kept(server: ModelServer) -> None:
    server.answer = [opines(), answers_with_ten_megabytes()]
    prompt = write_prompt("Alo shop")
    assert prompt is not None
    async with model_at(server) as model:
        await model.ask(prompt)  # whatever is loaded at the first question is loaded now
        tracemalloc.start()
        try:
            await model.ask(prompt)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 1024 * 1024
    assert ANSWER_READ_LIMIT_BYTES == 65_536


async def test_a_server_that_knows_no_schemas_is_asked_for_json_once_and_from_then_on(server: ModelServer) -> None:
    server.answer = [knows_no_schemas, opines("thanks", 0.6)]
    prompt = write_prompt("Alo shop")
    assert prompt is not None
    async with model_at(server) as model:
        assert (await model.ask(prompt)).outcome == Opinion(IntentLabel.THANKS, 0.6)
        assert (await model.ask(prompt)).outcome == Opinion(IntentLabel.THANKS, 0.6)
    formats = [question.asked["response_format"]["type"] for question in server.questions]
    assert formats == ["json_schema", "json_object", "json_object"]


async def test_a_model_that_counts_tokens_otherwise_is_asked_its_way(server: ModelServer) -> None:
    server.answer = [
        refuses(400, message="Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", param="max_tokens"),
        refuses(400, message="Unsupported value: 'temperature' does not support 0.", param="temperature"),
        opines("thanks", 0.6),
    ]
    assert (await ask(server)).outcome == Opinion(IntentLabel.THANKS, 0.6)
    last = server.questions[-1].asked
    assert (last["max_completion_tokens"], "max_tokens" in last, "temperature" in last) == (64, False, False)


async def test_who_refuses_everything_is_asked_a_bounded_number_of_times(server: ModelServer) -> None:
    server.answer = refuses(400, message="response_format max_tokens temperature")
    assert (await ask(server)).outcome == Refusal(RefusalKind.REFUSED)
    assert len(server.questions) == 2


async def test_the_second_try_has_no_time_of_its_own(server: ModelServer) -> None:
    server.answer = [knows_no_schemas, hangs_before_headers]
    assert (await ask(server, timeout_seconds=0.5)).outcome == Refusal(RefusalKind.TIMEOUT)
    assert len(server.questions) == 2
