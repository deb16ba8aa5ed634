"""Which follow-up somebody means: by its UUID, or by the webhook-id that its receiver has seen."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from lead_signals.followups.destinations.lead_in_words import TRIAL_PREFIX
from lead_signals.followups.follow_up import webhook_id
from lead_signals.request_body import RefusedRequest

_SIGN = webhook_id(UUID(int=0)).partition("0")[0]

NamedFollowUp = Annotated[str, Path(description="the follow-up's UUID, or its webhook-id (msg_ and 32 hex digits)", max_length=64)]


def named_follow_up(said: str) -> UUID:
    """The id in `6f1c…` or `msg_6f1c…`. Raises RefusedRequest (422) when it is neither; quotes nothing of what was said."""
    if said.startswith(TRIAL_PREFIX):
        sentence = "This is the webhook-id of a trial, which is no follow-up: nothing of it is kept, and it takes no receipts."
        raise RefusedRequest(422, "trial", sentence)
    try:
        return UUID(hex=said.removeprefix(_SIGN))
    except ValueError:
        raise RefusedRequest(422, "bad_id", "The follow-up's id must be a UUID, or a webhook-id: msg_ and 32 hex digits.") from None
