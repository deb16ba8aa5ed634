"""Allowed hosts: what the operator opens in the wall by WEBHOOK_ALLOWED_HOSTS, such as the n8n of the same compose file."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Names (in lower case, without a last dot) and networks, each with the one port it is open for, or None for all."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    def has_name(self, host: str, port: int) -> bool:
        """Whatever this name resolves to may be called: the operator knows it by name."""
        name = bare_name(host)
        return (name, None) in self.names or (name, port) in self.names

    def has_address(self, address: Address, port: int) -> bool:
        return any(
            address.version == network.version and address in network and open_port in (None, port) for network, open_port in self.networks
        )


def read_allowed_hosts(entries: Sequence[str]) -> AllowedHosts:
    """From `host`, `host:port`, an address, `address:port` or a network (CIDR). Raises ValueError saying which entry is none of
    these, without repeating it: what stands there by mistake may be a password."""
    names: set[tuple[str, int | None]] = set()
    networks: list[tuple[Network, int | None]] = []
    for number, entry in enumerate(entries, start=1):
        try:
            networks.append((ip_network(entry), None))
            continue
        except ValueError:
            host, port = _host_and_port(entry)
        if not host:
            raise ValueError(f"entry {number} is no host, host:port, address or network like 10.0.0.0/8")
        try:
            networks.append((ip_network(ip_address(host)), port))
        except ValueError:
            names.add((bare_name(host), port))
    return AllowedHosts(frozenset(names), tuple(networks))


def bare_name(host: str) -> str:
    """One spelling for all of one name: `N8N.internal.` is `n8n.internal`."""
    return host.lower().removesuffix(".")


def _host_and_port(entry: str) -> tuple[str, int | None]:
    """As the address of a website names them, with nothing before or behind; no host when it is none."""
    is_plain = not any(sign in "/?#@\\" or sign.isspace() for sign in entry)
    try:
        url = URL(f"http://{entry}") if is_plain else URL()
        return url.raw_host or "", url.explicit_port
    except ValueError:
        return "", None
