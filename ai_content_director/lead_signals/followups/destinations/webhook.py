"""A webhook: n8n, or any receiver of the follow-up contract. One POST, signed by every live secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from yarl import URL

from lead_signals.followups.destinations.http_post import USER_AGENT, Answer, NoAnswer, http_post
from lead_signals.followups.destinations.short_lived_session import ShortLivedSession
from lead_signals.followups.destinations.webhook_signature import WebhookSigner
from lead_signals.followups.outcome import Outcome, OutcomeKind

GONE: Final = 410


class Webhook:
    """A destination. `timeout_seconds` is the total time of one attempt, connecting and reading the answer included."""

    def __init__(self, sessions: ShortLivedSession, url: URL, secrets: Sequence[str], *, timeout_seconds: float) -> None:
        """Raises UnusableSecretError."""
        self._sessions = sessions
        self._url = url
        self._signer = WebhookSigner(secrets)
        self._timeout_seconds = timeout_seconds

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """Post once: 2xx is delivered, 410 is final, the rest may be tried again."""
        answer = await http_post(
            self._sessions, self._url, body, self._headers(webhook_id, body, at), at=at, timeout_seconds=self._timeout_seconds
        )
        return _judge(answer)

    def _headers(self, webhook_id: str, body: bytes, at: datetime) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "accept": "*/*",
            "accept-encoding": "identity",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "idempotency-key": webhook_id,
        }
        signature = self._signer.sign(webhook_id, at, body)
        if signature is not None:
            headers["webhook-signature"] = signature
        return headers


def _judge(answer: Answer | NoAnswer) -> Outcome:
    if isinstance(answer, NoAnswer):
        return Outcome(OutcomeKind.TRY_AGAIN, error_class=answer.error_class)
    if answer.is_success:
        return Outcome(OutcomeKind.DELIVERED, http_status=answer.http_status, answer_head=answer.head)
    kind = OutcomeKind.GIVE_UP if answer.http_status == GONE else OutcomeKind.TRY_AGAIN
    return Outcome(
        kind,
        http_status=answer.http_status,
        error_class=f"HTTP{answer.http_status}",
        answer_head=answer.head,
        retry_after=answer.retry_after if kind is OutcomeKind.TRY_AGAIN else None,
    )
