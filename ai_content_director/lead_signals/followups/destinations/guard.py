"""The guard: which addresses follow-ups may go to. Tenants write addresses; the house must not call its own rooms for them.

Two checks. `check_endpoint_url` reads an address when it is added, and says in a sentence what is wrong with it. `refuse_address`
judges what a connection is really about to reach, each time: what a name resolves to may change after it was added.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from yarl import URL

from lead_signals.allowed_hosts import Address, AllowedHosts, bare_name
from lead_signals.followups.destinations.special_ranges import GLOBAL_UNICAST_IPV6, SPECIAL_IPV4, SPECIAL_IPV6, embedded_ipv4

LONGEST_URL: Final = 2048

# Ports whose services read lines of an HTTP request as their own commands, or hold what nobody should touch. Below 1024 live the
# others of this kind (ssh 22, smtp 25, dns 53 …), so there only 80 and 443 are open. host:port in the allow list opens any.
REFUSED_PORTS: Final = frozenset({1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5900, 6379, 6443, 6667, 9200, 10250, 11211, 27017})
_LAST_PRIVILEGED_PORT: Final = 1023
_OPEN_PRIVILEGED_PORTS: Final = frozenset({80, 443})
_NUMBER: Final = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


def check_endpoint_url(url: str, allowed: AllowedHosts) -> str | None:
    """What is wrong with an address for a webhook, in a sentence that quotes nothing of it; None when it is good. Asks no DNS."""
    parsed = read_url(url)
    if parsed is None:
        return f"Expected an address like https://n8n.example.vn/webhook/lead, of at most {LONGEST_URL} characters."
    host, port = parsed.raw_host or "", parsed.port or 0
    if parsed.raw_user is not None or parsed.raw_password is not None:
        return "The address must not hold a user name or password; put them into a header or the path of the receiver."
    if parsed.raw_fragment:
        return "The address must not hold a fragment (#…): it is never sent."
    literal = _literal(host)
    is_allowed = allowed.has_name(host, port) or (literal is not None and allowed.has_address(literal, port))
    if parsed.scheme != "https" and not is_allowed:
        return "The address must begin with https://; http:// is for hosts that WEBHOOK_ALLOWED_HOSTS names."
    if is_allowed:
        return None
    if port in REFUSED_PORTS or (port <= _LAST_PRIVILEGED_PORT and port not in _OPEN_PRIVILEGED_PORTS):
        return f"Port {port} is not for webhooks; use 443, or a port above 1023 that no other known service has."
    if literal is None and _NUMBER.fullmatch(bare_name(host).rpartition(".")[2]):
        return "The host is a number in an unusual spelling; write a name, or an address like 203.0.113.7."
    if bare_name(host) == "localhost" or bare_name(host).endswith(".localhost"):
        return "The host is this server itself; only WEBHOOK_ALLOWED_HOSTS can open it."
    if literal is not None and (word := refuse_address(host, allowed, port)) is not None:
        return f"The host is an address that is not reached from here ({word}); only WEBHOOK_ALLOWED_HOSTS can open it."
    return None


def refuse_address(ip: str, allowed: AllowedHosts, port: int = 443) -> str | None:
    """Why a connection to this address is refused, in one word; None when it may be made. What is no address is refused."""
    try:
        address = ip_address(ip)
    except ValueError:
        return "no-address"
    if isinstance(address, IPv4Address):
        return None if allowed.has_address(address, port) else _special_ipv4(address)
    if address.scope_id is not None:
        return "scoped"
    carried = embedded_ipv4(address)
    if carried is not None and not allowed.has_address(carried, port) and (word := _special_ipv4(carried)) is not None:
        return word
    if allowed.has_address(address, port):
        return None
    return _special_ipv6(address)


def read_url(url: str) -> URL | None:
    """An http(s) address as the client will read it; None for anything else. The one parser of check and call, so that they agree.

    What is visible ASCII is sent as it was written: some receivers sign the query string.
    """
    if len(url) > LONGEST_URL or "\\" in url or any(sign.isspace() or not sign.isprintable() for sign in url):
        return None
    try:
        parsed = URL(url)
        if url.isascii():
            written = URL(url, encoded=True)
            parsed = written if written.raw_authority.lower() == parsed.raw_authority.lower() else parsed
        is_good = parsed.scheme in ("http", "https") and bool(parsed.raw_host) and bool(parsed.port)
    except ValueError:
        return None
    return parsed if is_good else None


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _special_ipv4(address: IPv4Address) -> str | None:
    return next((word for network, word in SPECIAL_IPV4.items() if address in network), None)


def _special_ipv6(address: IPv6Address) -> str | None:
    word = next((word for network, word in SPECIAL_IPV6.items() if address in network), None)
    return word or (None if address in GLOBAL_UNICAST_IPV6 else "unassigned")
