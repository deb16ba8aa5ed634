"""An endpoint's address: what is taken, and how it is shown. Whoever knows the path of a webhook may post to it, so it is a secret."""

import re
from typing import Final

from lead_signals.allowed_hosts import AllowedHosts
from lead_signals.followups.destinations.guard import check_endpoint_url, read_url
from lead_signals.followups.endpoints.endpoint import EndpointKind

MOST_RECIPIENTS: Final = 5
LONGEST_MAILBOX: Final = 254  # RFC 5321, section 4.5.3.1.3, without its angle brackets
_SHOWN_END: Final = 4
_LONG_ENOUGH_TO_SHOW_AN_END: Final = 16

# Mailboxes as people have them: no quotes, no comments, no address literals, and nothing that could end a header line.
_MAILBOX: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)


def tidy_address(kind: EndpointKind, address: str) -> str:
    """The address as it is kept: without space around it, recipients separated by single commas, each once."""
    if kind is not EndpointKind.EMAIL:
        return address.strip()
    return ",".join(dict.fromkeys(part.strip() for part in address.split(",")))


def what_is_wrong(kind: EndpointKind, address: str, allowed: AllowedHosts) -> str | None:
    """A sentence about a tidy address that cannot be taken, which quotes nothing of it; None when it is good."""
    if kind is not EndpointKind.EMAIL:
        return check_endpoint_url(address, allowed)
    recipients = address.split(",")
    if len(recipients) > MOST_RECIPIENTS:
        return f"At most {MOST_RECIPIENTS} e-mail addresses are told; use a mailing list for more."
    if not all(len(recipient) <= LONGEST_MAILBOX and _MAILBOX.fullmatch(recipient) for recipient in recipients):
        return "Expected 1 to 5 e-mail addresses separated by commas, like sales@example.vn,owner@example.vn."
    return None


def show_address(kind: EndpointKind, address: str) -> str:
    """Enough to know it again: the recipients of an e-mail; of a URL its host, and the last four signs of a long path."""
    if kind is EndpointKind.EMAIL:
        return address.replace(",", ", ")
    url = read_url(address)
    if url is None:
        return "…"
    origin = f"{url.scheme}://{url.raw_host if ':' not in (url.raw_host or '') else f'[{url.raw_host}]'}"
    port = "" if url.is_default_port() else f":{url.port}"
    path = url.raw_path.rstrip("/")
    end = path[-_SHOWN_END:] if len(path) >= _LONG_ENOUGH_TO_SHOW_AN_END and "/" not in path[-_SHOWN_END:] else ""
    return f"{origin}{port}/{'…' + end if path else ''}"
