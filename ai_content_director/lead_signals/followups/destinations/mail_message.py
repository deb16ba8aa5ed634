"""The mail that tells people of a lead. Its Message-ID is that of the follow-up, so that a repeat is the same mail again."""

from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from lead_signals.followups.destinations.lead_in_words import LeadInWords
from lead_signals.followups.destinations.mail_server import MailServer


def mail_message(lead: LeadInWords, server: MailServer, recipients: Sequence[str], *, webhook_id: str, at: datetime) -> bytes:
    """The mail as it goes over the wire. `lead.who` is one line without controls, so no name can add a header.

    Not even one that is written as `=?utf-8?q?=0D=0ABcc:?=`: Python reads an encoded word in what it is told to write, line ends and all.
    """
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = lead.heading if lead.is_trial else f"{lead.heading} – {lead.who.replace('=?', '= ?')}"
    mail["From"] = Address(server.sender_name, addr_spec=server.sender)
    mail["To"] = ", ".join(recipients)
    mail["Date"] = at
    mail["Message-ID"] = f"<{webhook_id}@{server.sender_domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_text(lead), charset="utf-8")
    return mail.as_bytes()


def _text(lead: LeadInWords) -> str:
    if lead.is_trial:
        return f"{lead.said}\n"
    lines = [f"Nhu cầu: {lead.intent}", f"Khách: {lead.who}"]
    if lead.platform:
        lines.append(f"Kênh: {lead.platform}")
    if lead.phones:
        lines.append(f"Điện thoại: {', '.join(lead.phones)}")
    if lead.emails:
        lines.append(f"Email: {', '.join(lead.emails)}")
    lines += ["", "Khách viết:", *(f"> {line}" for line in lead.said.split("\n"))]
    if lead.console_url is not None:
        lines += ["", f"Mở lead này trong Lead Signals: {lead.console_url}"]
    return "\n".join(lines) + "\n"
