"""Outbound: all that leaves one process for receivers of follow-ups. It owns the clients, the name look-ups and the guard."""

import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from lead_signals.allowed_hosts import AllowedHosts, read_allowed_hosts
from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.destinations.failure_word import REFUSED_ADDRESS
from lead_signals.followups.destinations.guard import check_endpoint_url, read_url
from lead_signals.followups.destinations.guarded_connections import guarded_session
from lead_signals.followups.destinations.mail import Mail
from lead_signals.followups.destinations.mail_server import MailServer, read_mail_server
from lead_signals.followups.destinations.name_look_up import GetAddrInfo, NameLookUp
from lead_signals.followups.destinations.never_sent import NeverSent
from lead_signals.followups.destinations.short_lived_session import ShortLivedSession
from lead_signals.followups.destinations.slack import Slack
from lead_signals.followups.destinations.trusted_certificates import trusted_certificates
from lead_signals.followups.destinations.webhook import Webhook
from lead_signals.settings import Settings

NO_MAIL_SERVER: Final = "NoMailServer"


class Outbound:
    """Makes destinations. They live as long as it does, and share its connections.

    There are two clients: one for hosts the operator names, which may be in a private network, and one behind the guard. A tenant's
    endpoint never meets a connection of the first, even for the same host.
    """

    def __init__(
        self,
        *,
        by_name: ShortLivedSession,
        guarded: ShortLivedSession,
        allowed: AllowedHosts,
        mail_server: MailServer | None,
        mail_tls: ssl.SSLContext,
        timeout_seconds: float,
    ) -> None:
        self._by_name = by_name
        self._guarded = guarded
        self._allowed = allowed
        self._mail_server = mail_server
        self._mail_tls = mail_tls
        self._timeout_seconds = timeout_seconds

    def webhook(self, url: str, secrets: Sequence[str], *, trusted: bool) -> Destination:
        """A receiver of the follow-up contract. `trusted` is for the operator's own WEBHOOK_URL, whose host passes the guard.

        Raises UnusableSecretError. An address that the guard refuses makes a destination that sends nothing and says so.
        """
        parsed = read_url(url)
        if parsed is None or (not trusted and check_endpoint_url(url, self._allowed) is not None):
            return NeverSent(REFUSED_ADDRESS)
        sessions = self._sessions(parsed.raw_host or "", parsed.port or 0, trusted=trusted)
        return Webhook(sessions, parsed, secrets, timeout_seconds=self._timeout_seconds)

    def slack(self, url: str) -> Destination:
        """A Slack-compatible incoming webhook, behind the same guard."""
        parsed = read_url(url)
        if parsed is None or check_endpoint_url(url, self._allowed) is not None:
            return NeverSent(REFUSED_ADDRESS)
        sessions = self._sessions(parsed.raw_host or "", parsed.port or 0, trusted=False)
        return Slack(sessions, parsed, timeout_seconds=self._timeout_seconds)

    def email(self, recipients: Sequence[str]) -> Destination:
        """People, by the operator's mail server (SMTP_URL, SMTP_FROM); without one nothing is sent."""
        if self._mail_server is None:
            return NeverSent(NO_MAIL_SERVER)
        return Mail(
            self._mail_server, self._mail_tls, [recipient.strip() for recipient in recipients], timeout_seconds=self._timeout_seconds
        )

    def _sessions(self, host: str, port: int, *, trusted: bool) -> ShortLivedSession:
        return self._by_name if trusted or self._allowed.has_name(host, port) else self._guarded


@asynccontextmanager
async def open_outbound(
    settings: Settings, *, getaddrinfo: GetAddrInfo = socket.getaddrinfo, ca_file: str | None = None, timeout_seconds: float | None = None
) -> AsyncIterator[Outbound]:
    """One for each process. Raises ConfigurationError when WEBHOOK_ALLOWED_HOSTS cannot be read.

    `getaddrinfo`, `ca_file` (believed instead of the system's certificates) and `timeout_seconds` (instead of the settings') are for tests.
    """
    allowed = read_allowed_hosts(settings.allowed_hosts)
    look_up = NameLookUp(getaddrinfo)
    tls = trusted_certificates("http/1.1", ca_file=ca_file)
    by_name = ShortLivedSession(partial(guarded_session, look_up, tls, None))
    guarded = ShortLivedSession(partial(guarded_session, look_up, tls, allowed))
    try:
        yield Outbound(
            by_name=by_name,
            guarded=guarded,
            allowed=allowed,
            mail_server=read_mail_server(settings),
            mail_tls=trusted_certificates(ca_file=ca_file),
            timeout_seconds=settings.follow_up_timeout_seconds if timeout_seconds is None else timeout_seconds,
        )
    finally:
        look_up.close()
        await by_name.close()
        await guarded.close()
