"""Try an endpoint: a follow-up that is clearly no lead goes through the real destination, at once. The integrator's first tool."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.destinations.lead_in_words import TRIAL_PREFIX
from lead_signals.followups.destinations.outbound import Outbound, open_outbound
from lead_signals.followups.endpoints.endpoint import OPERATORS_ENDPOINT, follow_up_endpoints
from lead_signals.followups.endpoints.endpoint_destination import destination_of, operators_destination
from lead_signals.followups.endpoints.endpoint_list import NO_MAIL
from lead_signals.followups.endpoints.named_endpoint import needs_its_tenant, no_operators_endpoint, no_such_endpoint
from lead_signals.followups.endpoints.sealed_endpoint import EndpointSeal, OpenedEndpoint, UnopenedEndpoint
from lead_signals.followups.endpoints.trial_hint import trial_hint
from lead_signals.followups.outcome import Outcome, OutcomeKind
from lead_signals.followups.request import FollowUpRequest
from lead_signals.request_body import RefusedRequest
from lead_signals.settings import Settings
from lead_signals.tenancy.tenant_session import tenant_session

NOBODY = UUID(int=0)
"""The lead_id of a trial, and its tenant_id for WEBHOOK_URL: a receiver that stores by lead overwrites one trial by the next, and never a
lead."""

"""How the webhook-id of a trial begins; that of a follow-up goes on with its id."""

TRIAL_TEXT = "Đây là tin thử của Lead Signals, không phải khách hàng. Đọc được dòng này nghĩa là kết nối đã thông."


@dataclass(frozen=True, slots=True)
class TriedEndpoint:
    """How the trial ended. `answer` is the beginning of what the receiver said, written by a stranger."""

    ok: bool
    outcome: str
    http_status: int | None
    error_class: str | None
    duration_ms: int
    webhook_id: str
    answer: str | None
    sentence: str


async def try_endpoint(
    engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, *, now: datetime
) -> TriedEndpoint:
    """Send one trial, under the guard and the timeout of every attempt; `tenant_id` may be None for WEBHOOK_URL. Nothing is written down:
    a pause stays as it is, and a 410 pauses nothing.

    Raises RefusedRequest: 404 for an endpoint that is not there, 409 when no key here opens it or no mail server is set.
    """
    opened = None if endpoint_id == OPERATORS_ENDPOINT else await _opened(engine, settings, tenant_id, endpoint_id, now)
    async with open_outbound(settings) as outbound:  # for this one: a person asks for it now and then
        destination = _destination(outbound, settings, opened, now)
        webhook_id = TRIAL_PREFIX + uuid4().hex
        began = time.monotonic()
        outcome = await destination.send(webhook_id, _trial(tenant_id or NOBODY, now), at=now)
        duration_ms = round((time.monotonic() - began) * 1000)
    return TriedEndpoint(
        ok=outcome.kind is OutcomeKind.DELIVERED,
        outcome=outcome.kind.value,
        http_status=outcome.http_status,
        error_class=outcome.error_class,
        duration_ms=duration_ms,
        webhook_id=webhook_id,
        answer=None if not outcome.answer_head else outcome.answer_head.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        sentence=_sentence(outcome),
    )


async def _opened(engine: AsyncEngine, settings: Settings, tenant_id: UUID | None, endpoint_id: UUID, now: datetime) -> OpenedEndpoint:
    whose = needs_its_tenant(endpoint_id, tenant_id)
    columns = follow_up_endpoints.c
    wanted = select(follow_up_endpoints).where(columns.tenant_id == whose, columns.id == endpoint_id, columns.removed_at.is_(None))
    async with tenant_session(engine, whose) as session:
        row = (await session.execute(wanted)).one_or_none()
    if row is None:
        raise no_such_endpoint(whose, endpoint_id)
    try:
        return EndpointSeal(settings.channel_token_key).open(row, now)
    except UnopenedEndpoint as unopened:
        raise RefusedRequest(409, "endpoint_cannot_be_opened", str(unopened)) from None


def _destination(outbound: Outbound, settings: Settings, opened: OpenedEndpoint | None, now: datetime) -> Destination:
    if opened is None:
        destination = operators_destination(outbound, settings)
        if destination is None:
            raise no_operators_endpoint()
        return destination
    destination = destination_of(outbound, settings, opened, now)
    if destination is None:
        raise RefusedRequest(409, "no_mail_server", NO_MAIL)
    return destination


def _trial(tenant_id: UUID, now: datetime) -> bytes:
    return FollowUpRequest(
        lead_id=NOBODY,
        tenant_id=tenant_id,
        author_name="Tin thử Lead Signals",
        author_id=None,
        content_text=TRIAL_TEXT,
        intent_label="unknown",
        priority="medium",
        confidence_score=0.0,
        status="new_escalate",
        platform="facebook",
        source_type="comment",
        external_post_id=None,
        external_message_id=None,
        permalink_url=None,
        phones=(),
        emails=(),
        created_at=now,
        console_url=None,
    ).body()


def _sentence(outcome: Outcome) -> str:
    match outcome.kind:
        case OutcomeKind.DELIVERED:
            return "The trial was delivered."
        case OutcomeKind.GIVE_UP:
            return f"The receiver says that it takes nothing any more ({outcome.error_class}): a real follow-up would pause this endpoint."
        case OutcomeKind.TRY_AGAIN:
            told = f"The trial was not delivered ({outcome.error_class}); a real follow-up would be tried again."
            return " ".join(part for part in (told, trial_hint(outcome.error_class or "")) if part)
