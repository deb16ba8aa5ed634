"""A model at any server that speaks OpenAI's protocol: one question, one answer, in a bounded time and a bounded memory.

The client library takes half a second and 40 MB to import: only a worker that asks a model imports this file.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx2
from openai import APIStatusError, AsyncOpenAI, BadRequestError, OpenAIError

from lead_signals.language_model.asked import Asked
from lead_signals.language_model.bounded_transport import AnswerTooLong, BoundedTransport
from lead_signals.language_model.opinion import read_opinion
from lead_signals.language_model.prompt import ANSWER_SCHEMA, Prompt
from lead_signals.language_model.refusal import Refusal, RefusalKind, refusal_of_status
from lead_signals.language_model.retry_after import retry_after_seconds
from lead_signals.log_context import get_logger

log = get_logger(__name__)

OPENAI_ADDRESS: Final = "https://api.openai.com/v1"
MOST_ANSWER_TOKENS: Final = 64  # the longest answer has some twenty

_WANTED: Final[dict[str, Any]] = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "opinion", "strict": True, "schema": ANSWER_SCHEMA}},
    "max_tokens": MOST_ANSWER_TOKENS,
    "temperature": 0,
}
_INSTEAD: Final[dict[str, dict[str, Any]]] = {
    "response_format": {"response_format": {"type": "json_object"}},
    "max_tokens": {"max_completion_tokens": MOST_ANSWER_TOKENS},
    "temperature": {},
}
"""What a server is offered that refuses one of the wishes by its name: older ones know no schemas, newer models count tokens otherwise."""


class OpenAIModel:
    """One model. `timeout_seconds` is the total time of one question, connecting and reading included."""

    def __init__(self, client: AsyncOpenAI, name: str, *, timeout_seconds: float) -> None:
        self.name = name
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._wishes = {name: {name: value} for name, value in _WANTED.items()}

    async def ask(self, prompt: Prompt) -> Asked:
        """Ask once. Every failure is a value, never an exception."""
        try:
            async with asyncio.timeout(self._timeout_seconds):  # the client's own limits are per read: a byte a second never trips them
                answer = await self._answer(prompt)
        except TimeoutError:
            return Asked(Refusal(RefusalKind.TIMEOUT))
        except Exception as error:  # the client library reads what a stranger wrote before we do
            log.error("language_model_answer_unreadable", error_type=type(error).__name__)  # its words may be the stranger's
            return Asked(Refusal(RefusalKind.INVALID))
        if isinstance(answer, Refusal):
            return Asked(answer)
        opinion, tokens = read_opinion(answer)
        return Asked(opinion or Refusal(RefusalKind.INVALID), tokens)

    async def _answer(self, prompt: Prompt) -> bytes | Refusal:
        """A server that refuses a wish is asked again without it, in the same time; that is remembered, so it costs one call once."""
        while True:
            wishes = dict(self._wishes)
            try:
                return await self._exchange(prompt, wishes)
            except BadRequestError as refused:
                said = refused.response.text.lower()
                refused_wishes = [name for name, wish in wishes.items() if wish != _INSTEAD[name] and _is_named(name, said)]
            if not refused_wishes:
                return Refusal(RefusalKind.REFUSED)
            self._wishes |= {name: _INSTEAD[name] for name in refused_wishes}

    async def _exchange(self, prompt: Prompt, wishes: dict[str, dict[str, Any]]) -> bytes | Refusal:
        """The body of a good answer, or why there is none. Raises BadRequestError, for a 400 only."""
        question: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        }
        for wish in wishes.values():
            question |= wish
        try:
            answer = await self._client.chat.completions.with_raw_response.create(**question)
        except BadRequestError:
            raise
        except APIStatusError as error:
            return refusal_of_status(error.status_code, retry_after_seconds(error.response.headers))
        except AnswerTooLong as error:
            return Refusal(RefusalKind.INVALID) if error.status < 300 else refusal_of_status(error.status)
        except (OpenAIError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            return Refusal(RefusalKind.CONNECTION)
        return bytes(answer.content)


@asynccontextmanager
async def open_model(*, api_key: str, base_url: str | None, name: str, timeout_seconds: float) -> AsyncIterator[OpenAIModel]:
    """A model to ask while the block lasts; `base_url` None is OpenAI itself. No proxy and no other variable of the environment counts."""
    async with httpx2.AsyncClient(
        transport=BoundedTransport(httpx2.AsyncHTTPTransport(trust_env=False)),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(None),  # ours is over the whole question
    ) as http_client:
        client = AsyncOpenAI(
            api_key=api_key,
            base_url=base_url or OPENAI_ADDRESS,
            max_retries=0,
            timeout=None,
            http_client=http_client,
            default_headers={"authorization": f"Bearer {api_key}"},  # and not one of OPENAI_CUSTOM_HEADERS
        )
        yield OpenAIModel(client, name, timeout_seconds=timeout_seconds)


def _is_named(wish: str, said: str) -> bool:
    return wish in said or (wish == "response_format" and "json_schema" in said)
