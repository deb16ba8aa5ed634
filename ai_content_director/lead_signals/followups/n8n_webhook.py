"""n8n, or any receiver of the same contract: one signed POST, judged in a bounded time and a bounded memory."""

import asyncio
from datetime import datetime

import httpx
from standardwebhooks.webhooks import Webhook

from lead_signals.followups.outcome import Outcome, OutcomeKind

ANSWER_READ_LIMIT_BYTES = 64 * 1024
ANSWER_KEPT_BYTES = 2 * 1024
GONE = 410


class N8nWebhook:
    """A destination. `timeout_seconds` is the total time of one attempt, connecting and reading the answer included."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, timeout_seconds: float, signer: Webhook | None) -> None:
        self._client = client
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._signer = signer

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """Post once. Every failure is a value, never an exception: 2xx is delivered, 410 is final, the rest may be tried again."""
        answer: httpx.Response | None = None
        head = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),  # httpx's own timeouts are per read: one byte a second never trips them
                self._client.stream("POST", self._url, content=body, headers=self._headers(webhook_id, body, at)) as answer,
            ):
                await _read_head(answer, head)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            if answer is None:
                return Outcome(
                    OutcomeKind.TRY_AGAIN, error_class="Timeout" if isinstance(error, TimeoutError) else error.__class__.__name__
                )
        # The status line is the receiver's word; an answer whose rest never came does not take it back.
        return _judge(answer, bytes(head[:ANSWER_KEPT_BYTES]))

    def _headers(self, webhook_id: str, body: bytes, at: datetime) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": "lead-signals",
            "accept-encoding": "identity",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "idempotency-key": webhook_id,
        }
        if self._signer is not None:
            headers["webhook-signature"] = self._signer.sign(webhook_id, at, body.decode())
        return headers


async def _read_head(answer: httpx.Response, head: bytearray) -> None:
    """Read to the limit and no further; raw bytes, so that nothing a receiver compressed can swell here."""
    read = 0
    async for chunk in answer.aiter_raw():
        head += chunk[: max(0, ANSWER_KEPT_BYTES - len(head))]
        read += len(chunk)
        if read >= ANSWER_READ_LIMIT_BYTES:
            return


def _judge(answer: httpx.Response, head: bytes) -> Outcome:
    if answer.is_success:
        return Outcome(OutcomeKind.DELIVERED, http_status=answer.status_code, answer_head=head)
    kind = OutcomeKind.GIVE_UP if answer.status_code == GONE else OutcomeKind.TRY_AGAIN
    return Outcome(kind, http_status=answer.status_code, error_class=f"HTTP{answer.status_code}", answer_head=head)
