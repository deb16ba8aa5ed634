"""The question behind an opinion request: the lead's words, read inside the wall, or the reason why nobody need be asked any more."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from lead_signals.database.lease import Claim
from lead_signals.intent.contact.contact_details import find_contact_details
from lead_signals.intent.folding.text_folding import WORD, fold_text
from lead_signals.intent.verdict import IntentLabel
from lead_signals.language_model.prompt import PROMPT_VERSION
from lead_signals.language_model.shown_message import shown_message
from lead_signals.leads.changed_lead import LANES
from lead_signals.leads.lead_list import Lead
from lead_signals.leads.lead_signal import LeadStatus, lead_signals
from lead_signals.leads.opinion_request import opinion_requests
from lead_signals.leads.request_opinions import is_askable, text_sha256
from lead_signals.tenancy.tenant_session import TenantSession

_LEAD: Final = [lead_signals.c[name] for name in Lead.__dataclass_fields__]


class NotAskedBecause(StrEnum):
    """Why a request is given up without an answer, beside the model's own refusals. Fit for `last_failure` and a metric label."""

    DECIDED = "decided"  # by a person
    WITHDRAWN = "withdrawn"
    TEXT_CHANGED = "text_changed"  # the new text is a request of its own
    UNDERSTOOD = "understood"  # rules read again know it now
    NOTHING_TO_SEE = "nothing_to_see"
    BUDGET_USED = "budget_used"
    MODEL_AWAY = "model_away"  # for two days
    CRASHED = "crashed"  # it ended its worker again and again


@dataclass(frozen=True, slots=True)
class Question:
    """A lead, locked until the transaction ends, and how its request stands. `age` is since it was owed."""

    request_id: UUID
    lead: Lead
    text_sha256: bytes
    failures: int
    age: timedelta

    @property
    def moot_because(self) -> NotAskedBecause | None:
        """Why an answer would change nothing; None while it may."""
        lead = self.lead
        if "removed_at" in lead.meta or lead.status == LeadStatus.WITHDRAWN:
            return NotAskedBecause.WITHDRAWN
        if lead.status not in LANES:
            return NotAskedBecause.DECIDED
        if text_sha256(lead.content_text) != self.text_sha256:
            return NotAskedBecause.TEXT_CHANGED
        if lead.intent_label != IntentLabel.UNKNOWN or not is_askable(lead):
            return NotAskedBecause.UNDERSTOOD
        return None if shown_message(lead.content_text) else NotAskedBecause.NOTHING_TO_SEE


async def hold_question(session: TenantSession, claim: Claim) -> Question | None:
    """Lock the lead and then its request, as the door does; None when the request is no longer ours."""
    ours = (
        opinion_requests.c.tenant_id == claim.tenant_id,
        opinion_requests.c.id == claim.id,
        opinion_requests.c.lease_token == claim.lease_token,
        opinion_requests.c.finished_at.is_(None),
    )
    lead = await _lock_lead(session, claim.tenant_id, ours)
    if lead is None:
        return None
    age = (func.now() - opinion_requests.c.created_at).label("age")
    columns = (opinion_requests.c.text_sha256, opinion_requests.c.failures, age)
    row = (await session.execute(select(*columns).where(*ours).with_for_update(of=opinion_requests))).one_or_none()
    return None if row is None else Question(claim.id, lead, row.text_sha256, row.failures, row.age)


async def _lock_lead(session: TenantSession, tenant_id: UUID, ours: tuple[Any, ...]) -> Lead | None:
    of_request = select(opinion_requests.c.lead_id).where(*ours).scalar_subquery()
    row = (
        await session.execute(
            select(*_LEAD).where(lead_signals.c.tenant_id == tenant_id, lead_signals.c.id == of_request).with_for_update(key_share=True)
        )
    ).one_or_none()
    return None if row is None else Lead(*row)


def question_sha256(text: str, model: str) -> bytes:
    """The same for the same words to this model, however capitals, diacritics, held-down letters and contacts were typed."""
    words = _folded(shown_message(text))
    return hashlib.sha256("\x1f".join((model, PROMPT_VERSION, words)).encode("utf-8", "surrogatepass")).digest()


def _folded(shown: str) -> str:
    """Words and signs with the pauses between them: "không, cần" is not "không cần". Signs that fold to nothing stand for themselves."""
    tokens = fold_text(shown, places=find_contact_details(shown).places)
    if not any(token.kind == WORD for token in tokens):
        return f"as typed: {shown}"
    parts: list[str] = []
    sentence = clause = 0
    for token in tokens:
        pause = "." if token.sentence != sentence else "," if token.clause != clause else ""
        parts += [pause, token.folded] if pause else [token.folded]
        sentence, clause = token.sentence, token.clause
    return " ".join(parts)
