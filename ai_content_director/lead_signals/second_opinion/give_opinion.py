"""Do one opinion request: read the question, remember or ask with no transaction open, merge the answer and settle in one transaction."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.database.lease import Claim, settle
from lead_signals.database.outlast_outage import outlast_outage
from lead_signals.language_model.asked import Asked, LanguageModel
from lead_signals.language_model.circuit_breaker import CircuitBreaker
from lead_signals.language_model.opinion import Opinion
from lead_signals.language_model.prompt import write_prompt
from lead_signals.language_model.refusal import OPERATOR_MUST_LOOK, Refusal, RefusalKind
from lead_signals.leads.opinion_request import OpinionState, opinion_requests
from lead_signals.leads.promise_follow_ups import follow_up_policy
from lead_signals.log_context import get_logger
from lead_signals.second_opinion.merge_opinion import merge_opinion
from lead_signals.second_opinion.opinion_answer import recall_answer, remember_answer
from lead_signals.second_opinion.opinion_day import TOMORROW, add_tokens, reserve_call
from lead_signals.second_opinion.opinion_question import NotAskedBecause, Question, hold_question, question_sha256
from lead_signals.second_opinion.when_to_ask_again import WORTH_ASKING, ask_again_after
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import TenantSession, tenant_session

log = get_logger(__name__)

# A row that was claimed this often in a row without anything being written down ends its worker each time.
CRASH_LIMIT = 5
BUDGET_SPREAD = timedelta(minutes=10)  # what waited for a new day does not all come at midnight


@dataclass(frozen=True, slots=True)
class _Given:
    """An opinion to write down: just asked, or remembered (`day` is None then, for nothing was paid).

    `question_sha256` is of the words that were shown to the model, whatever the lead says by now.
    """

    asked: Asked
    day: date | None
    question_sha256: bytes
    duration_ms: int | None = None


_Owed: TypeAlias = Question | _Given
"""What reading finds: something to ask, or the answer that is remembered."""


class OpinionGiver:
    """Everything that giving opinions needs, shared by all requests of one worker. `jitter` gives 0..1."""

    def __init__(
        self,
        engine: AsyncEngine,
        model: LanguageModel,
        settings: Settings,
        *,
        breaker: CircuitBreaker | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._model = model
        self._settings = settings
        self._breaker = breaker or CircuitBreaker()
        self._jitter = jitter
        self._told_the_operator = False

    async def give_opinion(self, claim: Claim) -> None:
        """One try at one request. The state moves only under our lease, and the lead is at worst left as it came."""
        owed = await self._step("read", claim, partial(self._read, claim))
        if owed is None:
            return
        if isinstance(owed, _Given):
            await self._write(claim, owed)
            return
        pause_seconds = self._breaker.pause_seconds()
        if pause_seconds > 0:
            spread = timedelta(seconds=pause_seconds * (1 + self._jitter()))
            await self._step("settle", claim, partial(self._put_off, claim, NotAskedBecause.MODEL_AWAY, func.now() + spread))
            return
        day = await self._step("reserve", claim, partial(self._reserve, claim))
        if day is None:
            tomorrow = TOMORROW + BUDGET_SPREAD * self._jitter()
            await self._step("settle", claim, partial(self._put_off, claim, NotAskedBecause.BUDGET_USED, tomorrow))
            return
        await self._write(claim, await self._ask(owed, day))

    async def _step(self, what: str, claim: Claim, step: Callable[[], Any]) -> Any:
        return await outlast_outage(what, step, opinion_request_id=str(claim.id))

    async def _read(self, claim: Claim) -> _Owed | None:
        """What to ask, or what is remembered of it; None when it is not ours any more, or was given up here."""
        async with tenant_session(self._engine, claim.tenant_id) as session:
            question = await hold_question(session, claim)
            if question is None:
                return None
            because = question.moot_because
            if because is None and claim.attempts - question.failures > CRASH_LIMIT:
                log.error("opinion_crashes", opinion_request_id=str(claim.id), attempts=claim.attempts)
                because = NotAskedBecause.CRASHED
            if because is not None:
                await settle(session, opinion_requests, claim, _given_up(because.value, question.failures))
                return None
            asks = self._question_sha256(question)
            remembered = await recall_answer(session, claim.tenant_id, asks)
            return question if remembered is None else _Given(Asked(remembered), None, asks)

    async def _reserve(self, claim: Claim) -> date | None:
        async with tenant_session(self._engine, claim.tenant_id) as session:
            return await reserve_call(session, claim.tenant_id, most_calls=self._settings.lead_classify_llm_daily_calls)

    async def _put_off(self, claim: Claim, because: NotAskedBecause, due_at: Any) -> bool:
        """Nobody was asked: that is no try. But it is put off for two days at most."""
        async with tenant_session(self._engine, claim.tenant_id) as session:
            question = await hold_question(session, claim)
            if question is None:
                return False
            if question.age >= WORTH_ASKING:
                return await settle(session, opinion_requests, claim, _given_up(because.value, question.failures))
            return await settle(session, opinion_requests, claim, _due(due_at, question.failures) | {"last_failure": because.value})

    async def _ask(self, question: Question, day: date) -> _Given:
        prompt = write_prompt(question.lead.content_text)
        assert prompt is not None  # noqa: S101 - otherwise the question was moot
        asks = self._question_sha256(question)
        began = time.monotonic()
        try:
            asked = await self._model.ask(prompt)
        except Exception:
            # No model of ours raises. One that did would end each of its questions after five calls, and nothing would hold it back.
            self._breaker.note(failed=True)
            raise
        refused = asked.outcome.kind if isinstance(asked.outcome, Refusal) else None
        # A strange answer is an answer: a message that makes the model talk nonsense must not silence it for all others.
        self._breaker.note(failed=refused not in (None, RefusalKind.INVALID, RefusalKind.REFUSED))
        if refused in OPERATOR_MUST_LOOK and not self._told_the_operator:
            self._told_the_operator = True
            log.error("language_model_refuses", outcome=refused.value, hint="see OPENAI_API_KEY, OPENAI_MODEL, OPENAI_BASE_URL")
        return _Given(asked, day, asks, round((time.monotonic() - began) * 1000))

    async def _write(self, claim: Claim, given: _Given) -> None:
        counted = await self._step("settle", claim, partial(self._write_down, claim, given))
        outcome = given.asked.outcome
        log.info(
            "opinion_given" if isinstance(outcome, Opinion) else "opinion_refused",
            tenant_id=str(claim.tenant_id),
            opinion_request_id=str(claim.id),
            outcome=outcome.intent_label.value if isinstance(outcome, Opinion) else outcome.kind.value,
            from_cache=given.day is None,
            duration_ms=given.duration_ms,
            counted=counted,
        )

    async def _write_down(self, claim: Claim, given: _Given) -> bool:
        """False, and nothing of the lead written, when the row was claimed again since. What was paid for is counted all the same."""
        async with tenant_session(self._engine, claim.tenant_id) as session:
            question = await hold_question(session, claim)
            if given.day is not None:
                await add_tokens(session, claim.tenant_id, given.day, given.asked.tokens)
            if question is None:
                return False
            outcome = given.asked.outcome
            if isinstance(outcome, Refusal):
                values = self._after_refusal(question, outcome)
            else:
                values = await self._after_opinion(session, claim, question, outcome, given)
            return await settle(session, opinion_requests, claim, values | {"duration_ms": given.duration_ms})

    async def _after_opinion(
        self, session: TenantSession, claim: Claim, question: Question, opinion: Opinion, given: _Given
    ) -> dict[str, Any]:
        """A person may have decided, or the text may have changed, while the model thought: then it is only written down.

        What was paid for is remembered all the same, under the words that were asked about.
        """
        remembered = given.day is None
        if not remembered:
            await remember_answer(session, claim.tenant_id, given.question_sha256, opinion, model=self._model.name)
        applied = False
        if question.moot_because is None and not self._settings.lead_classify_llm_shadow:
            policy = follow_up_policy(self._settings)
            applied = await merge_opinion(session, claim.tenant_id, question.lead, opinion, model=self._model.name, policy=policy)
        return _finished(OpinionState.ANSWERED, question.failures) | {
            "intent_label": opinion.intent_label.value,
            "confidence_score": opinion.confidence_score,
            "model": self._model.name,
            "from_cache": remembered,
            "applied": applied,
            "last_failure": None,
        }

    def _after_refusal(self, question: Question, refusal: Refusal) -> dict[str, Any]:
        failures = question.failures + 1
        delay = ask_again_after(refusal, failures=failures, jitter=self._jitter)
        if delay is None:
            return _given_up(refusal.kind.value, failures)
        return _due(func.now() + delay, failures) | {"last_failure": refusal.kind.value}

    def _question_sha256(self, question: Question) -> bytes:
        return question_sha256(question.lead.content_text, self._model.name)


def _due(due_at: Any, failures: int) -> dict[str, Any]:
    # Claims that ended in nothing are forgotten as soon as one is written down: only crashes in a row count.
    return {"state": OpinionState.PENDING.value, "failures": failures, "attempts": failures, "due_at": due_at}


def _given_up(because: str, failures: int) -> dict[str, Any]:
    return _finished(OpinionState.GIVEN_UP, failures) | {"last_failure": because}


def _finished(state: OpinionState, failures: int) -> dict[str, Any]:
    return {"state": state.value, "failures": failures, "finished_at": func.now()}
