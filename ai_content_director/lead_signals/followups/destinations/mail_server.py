"""The mail server the operator named: where it is, how TLS is spoken with it, and as whom we log in."""

from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from lead_signals.settings import Settings

_PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """`tls` is from the first byte (SMTPS). `starttls` True insists on it, None takes it where it is offered."""

    host: str
    port: int
    tls: bool
    starttls: bool | None
    user: str | None
    password: str = field(repr=False)
    sender_name: str
    sender: str

    @property
    def sender_domain(self) -> str:
        return self.sender.rpartition("@")[2]


def read_mail_server(settings: Settings) -> MailServer | None:
    """From SMTP_URL and SMTP_FROM; None while one of them is missing, or SMTP_FROM holds no address."""
    if settings.smtp_url is None or settings.smtp_from is None:
        return None
    parts = urlsplit(settings.smtp_url.get_secret_value())
    name, sender = parseaddr(settings.smtp_from)
    if "@" not in sender or not parts.hostname:
        return None
    return MailServer(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls={"smtp": None, "smtp+starttls": True, "smtps": False}[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
        sender_name=name,
        sender=sender,
    )
