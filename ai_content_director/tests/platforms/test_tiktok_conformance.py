"""The TikTok adapter keeps every promise of an adapter."""

import hmac
from datetime import datetime

from lead_signals.platforms.catalogue import ADAPTERS
from tests.platforms.adapter_conformance import NOW, AdapterConformance


def sign_as_tiktok(raw_body: bytes, secret: bytes, sent_at: datetime = NOW) -> list[tuple[bytes, bytes]]:
    seconds = str(int(sent_at.timestamp())).encode()
    digest = hmac.new(secret, seconds + b"." + raw_body, "sha256").hexdigest()
    return [(b"content-type", b"application/json"), (b"tiktok-signature", b"t=" + seconds + b",s=" + digest.encode())]


class TestTikTokBusinessAccount(AdapterConformance):
    adapter = ADAPTERS["tiktok"]
    payload_folder = "tiktok"
    sign = staticmethod(sign_as_tiktok)
    item_lists = frozenset()  # one event per delivery: no list holds items, and test_tiktok.py shows what may stand beside the event
