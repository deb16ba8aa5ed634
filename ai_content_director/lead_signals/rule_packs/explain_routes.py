"""`/api/intent/explain`: how a text is understood by the rules that judge a tenant's messages, and why."""

import asyncio
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.intent.classify import LONGEST_READ_CHARACTERS
from lead_signals.intent.explaining.explain import explain
from lead_signals.intent.explaining.explanation_json import explanation_json
from lead_signals.intent.lane import LaneStatus
from lead_signals.intent.pack.rule_pack import RulePack
from lead_signals.intent.verdict import IntentLabel, Priority
from lead_signals.json_body import MalformedBody, parse_json_body
from lead_signals.request_body import LARGE_BODY_BYTES, RefusedRequest, read_raw_body
from lead_signals.tenancy.tenant import find_tenant
from lead_signals.tenancy.tenant_session import tenant_session


class TenantPacks(Protocol):
    """Which rules judge a tenant's messages in this process."""

    def of(self, tenant_id: UUID) -> RulePack | None:
        """The tenant's active pack; None for the packaged rules."""
        ...


class Place(BaseModel):
    """Characters `start` up to, not including, `end` of the text, counted as code points."""

    start: int
    end: int


class Words(Place):
    """A place, and the words there."""

    matched: str


class SpokenRule(Words):
    """A rule that spoke. `weight` is how sure it is for this wording; `vietnamese_name` is its name for operators, where it has one."""

    rule: str
    vietnamese_name: str | None
    intent_label: IntentLabel
    weight: float


class SilencedRule(SpokenRule):
    """A rule that would have spoken: `silencer` is the kind of reason, `silenced_by` the words that did it, where words did."""

    silencer: str
    silenced_by: Words | None


class Likelihood(BaseModel):
    """How likely an intent is by the statistics, 0..1."""

    intent_label: IntentLabel
    probability: float


class MovingWords(Words):
    """Words that spoke for an intent: `share` of all that spoke for it, 0..1."""

    intent_label: IntentLabel
    share: float


class StatisticsAnswer(BaseModel):
    """The likeliest intents, and the words that moved the statistics."""

    likeliest: list[Likelihood]
    moved_by: list[MovingWords]


class ExplainAnswer(BaseModel):
    """The verdict and everything that led to it.

    `marks` are the words that decided; `scores` how sure the rules were of each intent; `rules` those that spoke, also those that
    lost; `silenced` those that something kept silent. Of a longer text only the first `read_characters` are read. Texts of strangers
    are told as they came: escape them wherever they are shown.
    """

    text: str
    read_characters: int
    intent_label: IntentLabel
    priority: Priority
    confidence_score: float
    status: LaneStatus
    decided_by: str
    reason: str
    marks: list[Place]
    scores: dict[IntentLabel, float]
    rules: list[SpokenRule]
    silenced: list[SilencedRule]
    statistics: StatisticsAnswer | None
    phones: list[str]
    emails: list[str]
    rule_pack: str


class ExplainQuestion(BaseModel):
    """A text to explain, by the rules of a tenant or, without one, by the packaged rules."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    text: str = Field(examples=["Cho tôi báo giá gói Enterprise"])
    tenant_id: Annotated[UUID | None, Field(strict=False)] = None


# The body is read by hand, as everywhere: a typed body parameter answers 500 to inputs such as NaN. The schema is still told.
_OPENAPI: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ExplainQuestion.model_json_schema()}}}
}


def explain_routes(engine: AsyncEngine, packs: TenantPacks) -> APIRouter:
    """The routes; they belong behind the operator's key. A text that is asked about is neither stored nor logged."""
    router = APIRouter(tags=["intent"])

    @router.get("/api/intent/explain", summary="Why a text gets its intent, confidence and lane")
    async def get_explanation(
        text: Annotated[str, Query(max_length=LONGEST_READ_CHARACTERS, description="For long or confidential texts use POST.")],
        tenant_id: Annotated[UUID | None, Query(description="By this tenant's active rules; without it, by the packaged ones.")] = None,
    ) -> ExplainAnswer:
        return await _answer(engine, packs, ExplainQuestion(text=text, tenant_id=tenant_id))

    @router.post(
        "/api/intent/explain",
        summary="The same, with the text in the body",
        description=f"At most {LARGE_BODY_BYTES // 1024} KiB; of a longer text the first {LONGEST_READ_CHARACTERS:,} characters are read.",
        openapi_extra=_OPENAPI,
    )
    async def post_question(request: Request) -> ExplainAnswer:
        return await _answer(engine, packs, _question(await read_raw_body(request, before_large=_refuse_large)))

    return router


async def _answer(engine: AsyncEngine, packs: TenantPacks, question: ExplainQuestion) -> ExplainAnswer:
    pack = None
    if question.tenant_id is not None:
        async with tenant_session(engine, question.tenant_id) as session:
            if await find_tenant(session, question.tenant_id) is None:
                raise RefusedRequest(404, "unknown_tenant", f"There is no tenant {question.tenant_id}; onboard it with POST /onboarding.")
        pack = packs.of(question.tenant_id)
    # Beside the event loop: explaining asks the rules again and again, and a delivery must not wait for a person's curiosity.
    explanation = await asyncio.to_thread(explain, question.text, pack)
    return ExplainAnswer.model_validate(explanation_json(explanation))


async def _refuse_large() -> None:
    raise RefusedRequest(413, "too_large", f"The body is larger than {LARGE_BODY_BYTES // 1024} KiB; send a shorter text.")


def _question(raw_body: bytes) -> ExplainQuestion:
    try:
        return ExplainQuestion.model_validate(parse_json_body(raw_body))
    except MalformedBody as malformed:
        raise RefusedRequest(400, malformed.reason.value, malformed.sentence) from None
    except ValidationError as invalid:
        problems = {str(problem["loc"][0]) for problem in invalid.errors(include_input=False, include_url=False) if problem["loc"]}
        wrong = " ".join(sentence for field, sentence in _WRONG.items() if field in problems)
        other = "Send only text and tenant_id." if problems - _WRONG.keys() else ""
        raise RefusedRequest(422, "bad_field", f"{wrong} {other}".strip()) from None


_WRONG = {
    "text": "text must be there and be a text.",
    "tenant_id": "tenant_id must be a UUID, null or missing.",
}
