"""A question and what came of it. Light to import: the model itself (`model_client`) brings its client library along."""

from dataclasses import dataclass, field
from typing import Protocol

from lead_signals.language_model.opinion import Opinion, Tokens
from lead_signals.language_model.prompt import Prompt
from lead_signals.language_model.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question, and what it cost."""

    outcome: Opinion | Refusal
    tokens: Tokens = field(default_factory=Tokens)


class LanguageModel(Protocol):
    """Whom the question goes to; `name` is the operator's word for it."""

    name: str

    async def ask(self, prompt: Prompt) -> Asked:
        """Ask once, in a bounded time. Every failure is a value, never an exception."""
