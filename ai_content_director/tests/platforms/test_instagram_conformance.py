"""The Instagram adapter keeps every promise of an adapter."""

from lead_signals.platforms.catalogue import ADAPTERS
from tests.platforms.adapter_conformance import AdapterConformance
from tests.platforms.test_facebook_page_conformance import sign_as_meta


class TestInstagram(AdapterConformance):
    adapter = ADAPTERS["instagram"]
    payload_folder = "instagram"
    sign = staticmethod(sign_as_meta)
