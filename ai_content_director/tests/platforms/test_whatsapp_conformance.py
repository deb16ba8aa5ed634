"""The WhatsApp adapter keeps every promise of an adapter."""

import hmac

from lead_signals.platforms.catalogue import ADAPTERS
from tests.platforms.adapter_conformance import AdapterConformance


def sign_as_meta(raw_body: bytes, secret: bytes) -> list[tuple[bytes, bytes]]:
    digest = hmac.new(secret, raw_body, "sha256").hexdigest()
    return [(b"content-type", b"application/json"), (b"x-hub-signature-256", b"sha256=" + digest.encode())]


class TestWhatsApp(AdapterConformance):
    adapter = ADAPTERS["whatsapp"]
    payload_folder = "whatsapp"
    sign = staticmethod(sign_as_meta)
    item_lists = frozenset({"entry", "changes", "messages", "statuses", "message_echoes", "errors"})
