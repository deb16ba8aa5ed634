"""Which addresses the guard refuses, which the operator can open, and what is said about an address that a tenant writes."""

import csv
import re

import pytest

from lead_signals.allowed_hosts import AllowedHosts, read_allowed_hosts
from lead_signals.followups.destinations.guard import LONGEST_URL, check_endpoint_url, read_url, refuse_address
from tests.platforms.shared_material import shared_path

NOTHING = AllowedHosts()

REFUSED = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "0.0.0.0": "this-network",
    "0.1.2.3": "this-network",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.255.255": "private",
    "169.254.169.254": "link-local",
    "100.64.0.1": "carrier-nat",
    "100.127.255.255": "carrier-nat",
    "192.0.0.192": "protocol-assignment",
    "192.0.2.1": "documentation",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "192.88.99.1": "6to4-relay",
    "198.18.0.1": "benchmarking",
    "198.19.255.255": "benchmarking",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:8.8.8.8": "mapped-ipv4",
    "::127.0.0.1": "loopback",
    "::8.8.8.8": "compatible-ipv4",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::808:808": "nat64",
    "64:ff9b:1::a00:1": "private",
    "64:ff9b:1::808:808": "local-nat64",
    "2002:7f00:1::": "loopback",
    "2002:808:808::1": "6to4",
    "2001:0:0:0:0:0:80ff:fffe": "loopback",
    "2001::1": "reserved",  # a Teredo address hides its client's inverted: this one is 255.255.255.254
    "2001:10::1": "orchid",
    "2001:2f::1": "orchid",
    "2001:2::1": "protocol-assignment",
    "2001:db8::1": "documentation",
    "3fff:fff::1": "documentation",
    "5f00::1": "segment-routing",
    "100::1": "discard",
    "fc00::1": "private",
    "fdff::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "scoped",
    "2606:4700::1%1": "scoped",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "4000::1": "unassigned",
    "1::1": "unassigned",
    "127.1": "no-address",
    "2130706433": "no-address",
    "0x7f000001": "no-address",
    "0177.0.0.1": "no-address",
    "": "no-address",
    "example.vn": "no-address",
}
OPEN = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255", "198.20.0.0"]
OPEN += ["223.255.255.255", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "2606:4700:4700::1111", "2a00::1", "2400:cb00::1"]
OPEN += ["2001:200::1", "2003::1", "3ffe::1"]


@pytest.mark.parametrize(("address", "word"), REFUSED.items())
def test_refused(address: str, word: str) -> None:
    assert refuse_address(address, NOTHING) == word


@pytest.mark.parametrize("address", OPEN)
def test_open(address: str) -> None:
    assert refuse_address(address, NOTHING) is None


def test_the_shared_table_of_addresses() -> None:
    with shared_path("corpora/ssrf_addresses.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 40
    for row in rows:
        refused = refuse_address(row["getaddrinfo"], NOTHING) is not None
        assert refused == (row["expected"] == "block"), row
        host = f"[{row['address']}]" if ":" in row["address"] else row["address"]
        assert (check_endpoint_url(f"https://{host}/hook", NOTHING) is not None) == (row["expected"] == "block"), row


@pytest.mark.parametrize(
    ("entries", "opens", "stays_shut"),
    [
        (["10.0.0.0/8"], ["10.1.2.3"], ["192.168.0.1", "127.0.0.1", "::ffff:192.168.0.1"]),
        (["10.0.0.5"], ["10.0.0.5"], ["10.0.0.6"]),
        (["10.0.0.5:8443"], [], ["10.0.0.5"]),
        (["10.0.0.5:443"], ["10.0.0.5"], ["10.0.0.6"]),
        (["fd00::/8"], ["fd12::1"], ["fe80::1", "10.0.0.1", "fd12::1%eth0"]),
        (["fd00::5"], ["fd00::5"], ["fd00::6"]),
        (["[fd00::5]:443"], ["fd00::5"], ["fd00::6"]),
        (["64:ff9b::/96"], ["64:ff9b::808:808"], ["64:ff9b::7f00:1", "64:ff9b::a00:1"]),  # a network with NAT64 and nothing but IPv6
        (["64:ff9b::/96", "10.0.0.0/8"], ["64:ff9b::a00:1"], ["64:ff9b::7f00:1"]),
        (["n8n"], [], ["10.0.0.1"]),
    ],
)
def test_what_the_operator_opens(entries: list[str], opens: list[str], stays_shut: list[str]) -> None:
    allowed = read_allowed_hosts(entries)
    assert [address for address in opens if refuse_address(address, allowed) is not None] == []
    assert [address for address in stays_shut if refuse_address(address, allowed) is None] == []


def test_names_are_allowed_in_one_spelling() -> None:
    allowed = read_allowed_hosts(["N8N", "crm.internal.:8443", "tủ-bếp.vn"])
    assert allowed.has_name("n8n", 5678)
    assert allowed.has_name("n8n.", 1)
    assert allowed.has_name("CRM.internal", 8443)
    vietnamese = read_url("https://TỦ-BẾP.vn/")
    assert vietnamese is not None
    assert allowed.has_name(vietnamese.raw_host or "", 443)
    assert not allowed.has_name("crm.internal", 443)
    assert not allowed.has_name("n8n.evil.example", 5678)
    assert not allowed.has_name("evil-n8n", 5678)


@pytest.mark.parametrize("entry", ["http://n8n:5678", "n8n/path", "user@n8n", "10.0.0.0/33", "n8n:port", "n8n:99999", "a b", "10.0.0.1/8"])
def test_an_entry_that_means_nothing_is_refused_by_its_place(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^entry 2 is no host, host:port, address or network like 10\.0\.0\.0/8$"):
        read_allowed_hosts(["n8n", entry])


@pytest.mark.parametrize(
    "url",
    [
        "https://n8n.example.vn/webhook/lead?key=1&x=%2F",
        "https://n8n.example.vn:8443/",
        "https://n8n.example.vn:80/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/hook",
        "https://tủ-bếp.example.vn/đường",
        "https://1.example.vn/",
    ],
)
def test_a_good_address(url: str) -> None:
    assert check_endpoint_url(url, NOTHING) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "Expected an address"),
        ("n8n.example.vn/webhook", "Expected an address"),
        ("ftp://n8n.example.vn/", "Expected an address"),
        ("file:///etc/passwd", "Expected an address"),
        ("gopher://127.0.0.1:6379/_x", "Expected an address"),
        ("https://", "Expected an address"),
        ("https:///path", "Expected an address"),
        ("https://n8n.example.vn:0/", "Expected an address"),
        ("https://n8n.example.vn:99999/", "Expected an address"),
        ("https://n8n.example.vn/a b", "Expected an address"),
        ("https://n8n.example.vn/\r\nx: y", "Expected an address"),
        ("https://n8n.example.vn\\@127.0.0.1/", "Expected an address"),
        ("https://[::1", "Expected an address"),
        ("https://n8n.example.vn/" + "x" * LONGEST_URL, "Expected an address"),
        ("https://n8n.example.vn@127.0.0.1/", "user name"),
        ("https://user:word@n8n.example.vn/", "user name"),
        ("https://n8n.example.vn/#part", "fragment"),
        ("http://n8n.example.vn/", "https://"),
        ("http://8.8.8.8/", "https://"),
        ("https://n8n.example.vn:22/", "Port 22"),
        ("https://n8n.example.vn:25/", "Port 25"),
        ("https://n8n.example.vn:53/", "Port 53"),
        ("https://n8n.example.vn:5432/", "Port 5432"),
        ("https://n8n.example.vn:6379/", "Port 6379"),
        ("https://127.1/", "unusual spelling"),
        ("https://2130706433/", "unusual spelling"),
        ("https://0x7f000001/", "unusual spelling"),
        ("https://0177.0.0.1/", "unusual spelling"),
        ("https://0x7f.1/", "unusual spelling"),
        ("https://evil.0x7f/", "unusual spelling"),
        ("https://127.0.0.1./", "unusual spelling"),
        ("https://localhost/", "this server itself"),
        ("https://LOCALHOST./", "this server itself"),
        ("https://a.localhost/", "this server itself"),
        ("https://127.0.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:169.254.169.254]/", "link-local"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://[fd00::1]/", "private"),
        ("https://１２７.０.０.１/", ""),  # full-width digits become plain ones on the way
    ],
)
def test_a_bad_address_is_told_in_a_sentence_that_quotes_nothing(url: str, says: str) -> None:
    said = check_endpoint_url(url, NOTHING)
    assert said is not None
    assert says in said
    assert not {"evil", "127", "localhost", "word", "meta-data"} & set(re.findall(r"[\w-]+", said))


def test_allowed_hosts_may_be_plain_http_and_have_any_port() -> None:
    allowed = read_allowed_hosts(["n8n", "crm.internal:8080", "10.0.0.0/8", "localhost"])
    good = ["http://n8n:5678/webhook/lead", "https://n8n/", "http://crm.internal:8080/", "http://10.1.2.3:5678/", "http://localhost:22/"]
    assert [url for url in good if check_endpoint_url(url, allowed) is not None] == []
    bad = ["http://crm.internal/", "http://n8n.evil.example/", "http://user@n8n/", "http://11.0.0.1/", "http://127.0.0.1:5678/"]
    assert [url for url in bad if check_endpoint_url(url, allowed) is None] == []


def test_an_address_is_sent_as_it_was_written() -> None:
    for written in ("https://n8n.example.vn/a%2Fb?sig=a%2Fb%2B&x=[1]", "https://n8n.example.vn/?a=b+c&d='", "https://N8N.example.vn/"):
        read = read_url(written)
        assert read is not None
        assert read.raw_path_qs == written[written.index("/", 8) :]
    assert str(read_url("https://n8n.example.vn/đường")) == "https://n8n.example.vn/%C4%91%C6%B0%E1%BB%9Dng"
