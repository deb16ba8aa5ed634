"""E-mail: one mail by the operator's mail server, with a connection of its own for each attempt.

At least once, as everywhere; the Message-ID is the same each time, by which mail servers and readers can put repeats together.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from lead_signals.followups.destinations.failure_word import TIMEOUT, failure_word
from lead_signals.followups.destinations.lead_in_words import lead_in_words
from lead_signals.followups.destinations.mail_message import mail_message
from lead_signals.followups.destinations.mail_server import MailServer
from lead_signals.followups.outcome import Outcome, OutcomeKind

ANSWER_KEPT_BYTES: Final = 2 * 1024
# "No such mailbox" in its variants (RFC 5321). Others of 5xx speak about us, the mail or a full mailbox, and may pass: 530, 552, 554 …
_NO_SUCH_MAILBOX: Final = frozenset({550, 551, 553, 556})
_POLICY: Final = "5.7."  # RFC 3463: the refusal is about who may send, such as "550 5.7.1 relaying denied"


class PasswordNeedsTLS(Exception):
    """The server offers no TLS, and a password must not cross the network for everybody to read."""


class Mail:
    """A destination. `timeout_seconds` is the total time of one attempt, connecting and logging in included."""

    def __init__(self, server: MailServer, tls: ssl.SSLContext, recipients: Sequence[str], *, timeout_seconds: float) -> None:
        self._server = server
        self._tls = tls
        self._recipients = tuple(recipients)
        self._timeout_seconds = timeout_seconds

    async def send(self, webhook_id: str, body: bytes, *, at: datetime) -> Outcome:
        """Hand over once: taken for at least one recipient is delivered, unknown mailboxes alone are final, the rest may be tried again."""
        client: SMTP | None = None
        taken: str | None = None
        try:
            mail = mail_message(lead_in_words(body, webhook_id), self._server, self._recipients, webhook_id=webhook_id, at=at)
            client = self._client()
            async with asyncio.timeout(self._timeout_seconds):
                taken = await self._hand_over(client, mail)
                with suppress(SMTPException):
                    await client.quit()
        except Exception as error:  # whatever a strange server makes the library raise is a failed attempt, and no end of the worker
            if taken is None:
                return _failure(error)
        finally:
            if client is not None:
                client.close()
        return Outcome(OutcomeKind.DELIVERED, answer_head=_kept(f"250 {taken}"))

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self._server.host,
            port=self._server.port,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            tls_context=self._tls,
            local_hostname=self._server.sender_domain,  # else it asks DNS who we are
            timeout=None,
        )

    async def _hand_over(self, client: SMTP, mail: bytes) -> str:
        await client.connect()
        if self._server.user is not None:
            if client.get_transport_info("sslcontext") is None:
                raise PasswordNeedsTLS
            await client.login(self._server.user, self._server.password)
        _, said = await client.sendmail(self._server.sender, self._recipients, mail)
        return said


def _failure(error: Exception) -> Outcome:
    if isinstance(error, SMTPRecipientsRefused):
        first = error.recipients[0]
        kind = OutcomeKind.GIVE_UP if all(map(_is_unknown, error.recipients)) else OutcomeKind.TRY_AGAIN
        return Outcome(kind, error_class=f"SMTP{first.code}", answer_head=_kept(f"{first.code} {first.message}"))
    word, head = _word(error), None
    if isinstance(error, SMTPResponseException):
        head = _kept(f"{error.code} {error.message}")
    return Outcome(OutcomeKind.TRY_AGAIN, error_class=word, answer_head=head)


def _is_unknown(refused: SMTPRecipientRefused) -> bool:
    return refused.code in _NO_SUCH_MAILBOX and not refused.message.startswith(_POLICY)


def _word(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return TIMEOUT
    if isinstance(error, PasswordNeedsTLS):
        return "PasswordNeedsTLS"
    if isinstance(error, SMTPAuthenticationError):
        return "LoginRefused"
    if isinstance(error, SMTPResponseException):
        return f"SMTP{error.code}"
    if type(error) in (SMTPException, SMTPNotSupported):  # its own class for a server without STARTTLS, or without logging in
        return "NotSupported"
    return failure_word(error)


def _kept(said: str) -> bytes:
    return said.encode(errors="replace")[:ANSWER_KEPT_BYTES]
