"""A server of language models on loopback that keeps every question and answers as the test says: well, ill or with lies."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from tests.graph_api.graph_answers import says, says_bytes
from tests.receiver import Answer, Exchange

TEN_MEGABYTES = 10 * 1024 * 1024
USAGE = {"prompt_tokens": 410, "completion_tokens": 17, "total_tokens": 427}


@dataclass(frozen=True, slots=True)
class Question:
    """One request as it came in. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def asked(self) -> dict[str, Any]:
        """The body as an object."""
        return cast("dict[str, Any]", json.loads(self.body))

    @property
    def user_turn(self) -> str:
        """What the model is shown beside our own words."""
        (system, user) = self.asked["messages"]
        assert (system["role"], user["role"]) == ("system", "user")
        return cast("str", user["content"])

    @property
    def message(self) -> str:
        """The customer's message as the model reads it between the fences."""
        _, quoted, _ = self.user_turn.split("\n")
        return cast("str", json.loads(quoted))


@dataclass
class ModelServer:
    """`answer` answers every question; a list is used up in order, and its last stays."""

    base_url: str
    answer: Answer | list[Answer]
    closing: threading.Event = field(default_factory=threading.Event)
    _questions: list[Question] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def questions(self) -> Sequence[Question]:
        """What has come in so far, in order."""
        with self._changed:
            return tuple(self._questions)

    def wait_for(self, count: int, deadline_seconds: float = 30.0) -> Sequence[Question]:
        """The questions, once there are at least `count`."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self._questions) >= count, deadline_seconds)
        assert enough, f"waited {deadline_seconds:g} s for {count} questions; {len(self.questions)} came"
        return self.questions

    def take(self, question: Question) -> Answer:
        """Note a question and say whose turn it is to answer."""
        with self._changed:
            self._questions.append(question)
            self._changed.notify_all()
            if not isinstance(self.answer, list):
                return self.answer
            return self.answer.pop(0) if len(self.answer) > 1 else self.answer[0]


@contextmanager
def model_server(answer: Answer | list[Answer] | None = None) -> Iterator[ModelServer]:
    """Listens from the beginning of the block to its end; says "inquiry, 0.8" unless told otherwise."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.model = ModelServer(f"http://127.0.0.1:{server.server_port}/v1", answer or opines())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.model
    finally:
        server.model.closing.set()
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    model: ModelServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error of ours: most tests give up on this server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        model = cast("_Server", self.server).model
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = model.take(Question(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        exchange = Exchange(self.connection, model.closing)
        try:
            answer(exchange)
        finally:
            self.close_connection = not exchange.keep_connection

    def log_message(self, *_: Any) -> None:
        """Quiet: the questions are the log."""


def opines(label: Any = "inquiry", confidence: Any = 0.8, **more: Any) -> Answer:
    """A good answer in the shape, whatever the values are; `more` are further keys of the opinion."""
    return writes(json.dumps({"intent_label": label, "confidence": confidence, **more}))


def writes(content: Any, *, finish_reason: Any = "stop", usage: Any = None, **message: Any) -> Answer:
    """A whole answer in which the model wrote `content`; `message` are further keys of its turn, such as refusal="…"."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish_reason}
    return says(completion([choice], usage=USAGE if usage is None else usage))


def completion(choices: Any, *, usage: Any = None) -> dict[str, Any]:
    """The envelope of chat completions."""
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1790000000, "model": "m", "choices": choices, "usage": usage}


def refuses(status: int, *headers: str, message: str = "No.", param: str | None = None) -> Answer:
    """An error in OpenAI's envelope."""
    return says({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}, status, *headers)


def knows_no_schemas(exchange: Exchange) -> None:
    """Refuses a schema as older servers do."""
    refuses(400, message="'response_format' of type 'json_schema' is not supported with this model.", param="response_format")(exchange)


def answers_with_ten_megabytes(*, announced: bool = True) -> Answer:
    """Sound headers and 10 MB, as far as somebody listens."""

    def answer(exchange: Exchange) -> None:
        exchange.keep_connection = False
        length = f"content-length: {TEN_MEGABYTES}" if announced else "connection: close"
        exchange.send(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n\r\n".encode())
        while exchange.sent_bytes < TEN_MEGABYTES:
            exchange.send(b"x" * 65536)

    return answer


def streams_garbage(exchange: Exchange) -> None:
    """Server-sent events nobody asked for."""
    exchange.keep_connection = False
    exchange.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    exchange.send(b'data: {"choices":[{"delta":{"content":"{\\"intent_label\\":"}}]}\n\ndata: [DONE]\n\n')
    exchange.reset()


def is_not_utf8() -> Answer:
    """JSON but for one byte."""
    return says_bytes(b'{"choices":[{"message":{"content":"\xff\xfe"},"finish_reason":"stop"}]}')


def held(gate: threading.Event, then: Answer) -> Answer:
    """Nothing until the gate opens (or the server ends); then another answer."""

    def answer(exchange: Exchange) -> None:
        while not gate.wait(0.05) and not exchange.closing.is_set():
            continue
        then(exchange)

    return answer
