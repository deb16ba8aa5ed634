"""Which platforms we understand, by the name in their webhook address: `/webhooks/<name>`."""

from collections.abc import Mapping
from types import MappingProxyType

from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.meta.page import FACEBOOK_PAGE

ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "facebook": FACEBOOK_PAGE,
    }
)
