"""The Zalo adapter keeps every promise of an adapter."""

import json
from hashlib import sha256

from lead_signals.platforms.catalogue import ADAPTERS
from tests.platforms.adapter_conformance import AdapterConformance


def sign_as_zalo(raw_body: bytes, secret: bytes) -> list[tuple[bytes, bytes]]:
    # Numbers are kept as they are written: the digits are signed, not their value.
    event = json.loads(raw_body, parse_int=str, parse_float=str)
    before, behind = str(event.get("app_id") or event.get("oa_id") or "").encode(), str(event.get("timestamp", "")).encode()
    digest = sha256(before + raw_body + behind + secret).hexdigest()
    return [(b"content-type", b"application/json"), (b"x-zevent-signature", b"mac=" + digest.encode())]


class TestZaloOfficialAccount(AdapterConformance):
    adapter = ADAPTERS["zalo"]
    payload_folder = "zalo"
    sign = staticmethod(sign_as_zalo)
    item_lists = frozenset()  # one event per delivery: no list holds items, and test_zalo.py shows what may stand beside the event
