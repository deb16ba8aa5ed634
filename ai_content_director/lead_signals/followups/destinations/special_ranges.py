"""Addresses that no follow-up may reach by itself, each range with the word that says what it is.

From IANA's special-purpose registries of IPv4 and IPv6 addresses (RFC 6890 and what followed). Written out, because Python 3.11's
`is_private` misses twelve of them and its `is_global` calls ten of those global.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from types import MappingProxyType
from typing import Final

SPECIAL_IPV4: Final[Mapping[IPv4Network, str]] = MappingProxyType(
    {
        IPv4Network(network): word
        for network, word in (
            ("0.0.0.0/8", "this-network"),
            ("10.0.0.0/8", "private"),
            ("100.64.0.0/10", "carrier-nat"),  # some clouds keep their metadata here
            ("127.0.0.0/8", "loopback"),
            ("169.254.0.0/16", "link-local"),  # most clouds keep theirs here
            ("172.16.0.0/12", "private"),
            ("192.0.0.0/24", "protocol-assignment"),  # and some here
            ("192.0.2.0/24", "documentation"),
            ("192.88.99.0/24", "6to4-relay"),
            ("192.168.0.0/16", "private"),
            ("198.18.0.0/15", "benchmarking"),
            ("198.51.100.0/24", "documentation"),
            ("203.0.113.0/24", "documentation"),
            ("224.0.0.0/4", "multicast"),
            ("240.0.0.0/4", "reserved"),
        )
    }
)

GLOBAL_UNICAST_IPV6: Final = IPv6Network("2000::/3")
"""All that is routed so far. What lies outside of it is refused without being listed, whatever is assigned there one day."""

SPECIAL_IPV6: Final[Mapping[IPv6Network, str]] = MappingProxyType(
    {
        IPv6Network(network): word
        for network, word in (
            ("::/128", "unspecified"),
            ("::1/128", "loopback"),
            ("::ffff:0:0/96", "mapped-ipv4"),
            ("::/96", "compatible-ipv4"),
            ("64:ff9b::/96", "nat64"),
            ("64:ff9b:1::/48", "local-nat64"),
            ("100::/64", "discard"),
            ("2001::/32", "teredo"),
            ("2001:10::/28", "orchid"),
            ("2001:20::/28", "orchid"),
            ("2001::/23", "protocol-assignment"),
            ("2001:db8::/32", "documentation"),
            ("2002::/16", "6to4"),
            ("3fff::/20", "documentation"),
            ("5f00::/16", "segment-routing"),
            ("fc00::/7", "private"),
            ("fe80::/10", "link-local"),
            ("fec0::/10", "site-local"),
            ("ff00::/8", "multicast"),
        )
    }
)

_LAST_32_BITS: Final = (IPv6Network("::ffff:0:0/96"), IPv6Network("::/96"), IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to this one would end at, where the range is known to carry one."""
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if int(address) > 1 and any(address in network for network in _LAST_32_BITS):  # :: and ::1 carry none
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
