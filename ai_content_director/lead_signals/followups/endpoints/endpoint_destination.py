"""The destination of an endpoint: how this one is spoken to."""

from datetime import datetime

from lead_signals.followups.destinations.destination import Destination
from lead_signals.followups.destinations.outbound import Outbound
from lead_signals.followups.endpoints.endpoint import EndpointKind
from lead_signals.followups.endpoints.sealed_endpoint import OpenedEndpoint
from lead_signals.settings import Settings


def destination_of(outbound: Outbound, settings: Settings, opened: OpenedEndpoint, now: datetime) -> Destination | None:
    """The destination, signed by the secrets that live at `now`; None for e-mail while SMTP_URL or SMTP_FROM is not set."""
    address = opened.address.get_secret_value()
    match opened.kind:
        case EndpointKind.WEBHOOK:
            return outbound.webhook(address, opened.live_secrets(now), trusted=False)
        case EndpointKind.SLACK:
            return outbound.slack(address)
        case EndpointKind.EMAIL:
            return outbound.email(address.split(",")) if mails(settings) else None


def operators_destination(outbound: Outbound, settings: Settings) -> Destination | None:
    """WEBHOOK_URL, signed by WEBHOOK_SIGNING_SECRET; None when it is not set. The operator wrote it: its host passes the guard."""
    if settings.webhook_url is None:
        return None
    return outbound.webhook(settings.webhook_url.get_secret_value(), settings.signing_secrets, trusted=True)


def mails(settings: Settings) -> bool:
    """Whether follow-ups can go out by e-mail at all."""
    return settings.smtp_url is not None and settings.smtp_from is not None
