"""Which platforms we understand, by the name in their webhook address: `/webhooks/<name>`."""

from collections.abc import Mapping
from types import MappingProxyType

from lead_signals.platforms.adapter import Adapter
from lead_signals.platforms.meta.instagram import INSTAGRAM
from lead_signals.platforms.meta.page import FACEBOOK_PAGE
from lead_signals.platforms.tiktok.business_account import TIKTOK_BUSINESS_ACCOUNT
from lead_signals.platforms.whatsapp.business_account import WHATSAPP
from lead_signals.platforms.zalo.official_account import ZALO_OFFICIAL_ACCOUNT

ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "facebook": FACEBOOK_PAGE,
        "instagram": INSTAGRAM,
        "whatsapp": WHATSAPP,
        "zalo": ZALO_OFFICIAL_ACCOUNT,
        "tiktok": TIKTOK_BUSINESS_ACCOUNT,
    }
)
