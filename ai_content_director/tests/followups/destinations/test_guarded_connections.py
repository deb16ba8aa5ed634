"""The guard where it matters: real clients before real listening sockets, which must get no connection."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import ClientError
from yarl import URL

from lead_signals.allowed_hosts import AllowedHosts, read_allowed_hosts
from lead_signals.followups.destinations.failure_word import failure_word
from lead_signals.followups.destinations.guarded_connections import guarded_session
from lead_signals.followups.destinations.name_look_up import NameLookUp
from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.certificates import DAY, TODAY, Authority
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.raw_receiver import raw_receiver, status

BODY = b'{"tenant_id":"t"}'
HOST = "hook.example.vn"
PUBLIC = "127.0.0.2"  # stands for a public address: tests open it by the allow list
OPENED = {"WEBHOOK_ALLOWED_HOSTS": f"{PUBLIC}/32"}


class Names:
    """`getaddrinfo` of a name server that says something else each time; the last answer stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: Any, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in addresses]


SPELLINGS = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "127.0.0.1.", "localhost", "LOCALHOST."]
SPELLINGS += [
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "１２７.０.０.１",
    "017700000001",
]


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_loopback_is_reached(scheme: str, host: str) -> None:
    """The second wall alone: nothing has looked at this address before the client gets it, and names are resolved by the system."""
    async with raw_receiver() as four, guarded_session(NameLookUp(), ssl.create_default_context(), AllowedHosts()) as client:
        with socket.create_server(("::1", four.port), family=socket.AF_INET6) as six:
            six.setblocking(False)
            with pytest.raises((ClientError, ValueError)) as caught:
                await client.post(f"{scheme}://{host}:{four.port}/", data=BODY, allow_redirects=False)
            with pytest.raises(BlockingIOError):
                six.accept()
    assert four.connections == 0
    assert failure_word(caught.value) in ("RefusedAddress", "NameNotFound")


@pytest.mark.parametrize("host", SPELLINGS)
async def test_nor_through_an_endpoint(host: str, outbound: OpenOutbound) -> None:
    async with raw_receiver() as receiver, outbound() as out:
        for url in (
            f"https://{host}:{receiver.port}/",
            f"http://{host}:{receiver.port}/",
            f"https://hook.example.vn@{host}:{receiver.port}/",
        ):
            for destination in (out.webhook(url, (), trusted=False), out.slack(url)):
                outcome = await destination.send("msg_1", BODY, at=AT)
                assert (outcome.kind, outcome.error_class) == (OutcomeKind.TRY_AGAIN, "RefusedAddress")
    assert receiver.connections == 0


@pytest.mark.parametrize("user", ["allowed", "allowed:word", "allowed%40"])
async def test_an_allowed_name_before_an_at_sign_opens_nothing(user: str, outbound: OpenOutbound) -> None:
    async with raw_receiver() as receiver, outbound(WEBHOOK_ALLOWED_HOSTS="allowed") as out:
        outcome = await out.webhook(f"http://{user}@127.0.0.1:{receiver.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (outcome.error_class, receiver.connections) == ("RefusedAddress", 0)


async def test_the_checked_address_is_the_called_one(authority: Authority, outbound: OpenOutbound) -> None:
    """Rebinding: good when first asked, loopback ever after. Whoever checks one answer and calls another ends on loopback."""
    names = Names([PUBLIC], ["127.0.0.1"])
    closing = status(200, b"", "connection: close")
    async with (
        raw_receiver(closing, host=PUBLIC, tls=authority.server(HOST)) as public,
        raw_receiver(port=public.port, tls=authority.server(HOST)) as inside,
        outbound(getaddrinfo=names, **OPENED) as out,
    ):
        hook = out.webhook(f"https://{HOST}:{public.port}/hook", (), trusted=False)
        first = await hook.send("msg_1", BODY, at=AT)
        assert (first.kind, names.asked) == (OutcomeKind.DELIVERED, [HOST])
        second = await hook.send("msg_1", BODY, at=AT)
        assert (second.kind, second.error_class) == (OutcomeKind.TRY_AGAIN, "RefusedAddress")
        assert names.asked == [HOST, HOST]
    assert (public.connections, inside.connections) == (1, 0)
    ((line, headers, body),) = public.requests
    assert (line, headers["host"], body) == ("POST /hook HTTP/1.1", f"{HOST}:{public.port}", BODY)


async def test_a_kept_connection_goes_on_to_the_checked_address(authority: Authority, outbound: OpenOutbound) -> None:
    names = Names([PUBLIC], ["127.0.0.1"])
    async with raw_receiver(host=PUBLIC, tls=authority.server(HOST)) as public, outbound(getaddrinfo=names, **OPENED) as out:
        hook = out.webhook(f"https://{HOST}:{public.port}/", (), trusted=False)
        outcomes = [await hook.send("msg_1", BODY, at=AT) for _ in range(3)]
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.DELIVERED}
    assert (public.connections, len(public.requests), len(names.asked)) == (1, 3, 1)


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "::1"], [PUBLIC, "169.254.169.254"]])
async def test_one_bad_answer_spoils_the_name(answers: list[str], authority: Authority, outbound: OpenOutbound) -> None:
    async with raw_receiver(host=PUBLIC, tls=authority.server(HOST)) as public, outbound(getaddrinfo=Names(answers), **OPENED) as out:
        outcome = await out.webhook(f"https://{HOST}:{public.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (outcome.kind, outcome.error_class, public.connections) == (OutcomeKind.TRY_AGAIN, "RefusedAddress", 0)


async def test_ipv6_is_called_where_it_is_open(authority: Authority, outbound: OpenOutbound) -> None:
    async with raw_receiver(host="::1", tls=authority.server(HOST)) as receiver:
        async with outbound(getaddrinfo=Names(["::1"]), WEBHOOK_ALLOWED_HOSTS="::1") as out:
            opened = await out.webhook(f"https://{HOST}:{receiver.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
        async with outbound(getaddrinfo=Names(["::1"])) as out:
            shut = await out.webhook(f"https://{HOST}:{receiver.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (opened.kind, shut.error_class, receiver.connections) == (OutcomeKind.DELIVERED, "RefusedAddress", 1)


async def test_an_allowed_name_may_be_anywhere(outbound: OpenOutbound) -> None:
    """n8n of the same compose file: a name that resolves to a private network, over plain HTTP."""
    async with raw_receiver() as n8n, outbound(getaddrinfo=Names(["127.0.0.1"]), WEBHOOK_ALLOWED_HOSTS="n8n") as out:
        allowed = await out.webhook(f"http://n8n:{n8n.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
        other = await out.webhook(f"https://other:{n8n.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (allowed.kind, other.error_class, n8n.connections) == (OutcomeKind.DELIVERED, "RefusedAddress", 1)


async def test_a_tenant_gets_no_connection_of_the_operator(outbound: OpenOutbound) -> None:
    """WEBHOOK_URL passes the guard; a tenant who writes the same address does not, though a connection to it is open."""
    async with raw_receiver() as n8n, outbound() as out:
        url = f"http://localhost:{n8n.port}/"
        operators = await out.webhook(url, (), trusted=True).send("msg_1", BODY, at=AT)
        tenants = await out.webhook(url, (), trusted=False).send("msg_1", BODY, at=AT)
    assert (operators.kind, tenants.error_class, len(n8n.requests)) == (OutcomeKind.DELIVERED, "RefusedAddress", 1)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(code: int, outbound: OpenOutbound) -> None:
    async with raw_receiver() as elsewhere:
        redirect = status(code, b"", f"location: http://127.0.0.1:{elsewhere.port}/", "set-cookie: a=b")
        async with raw_receiver(redirect) as receiver, outbound() as out:
            hook = out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True)
            outcomes = [await hook.send("msg_1", BODY, at=AT) for _ in range(2)]
    assert [(outcome.kind, outcome.error_class) for outcome in outcomes] == [(OutcomeKind.TRY_AGAIN, f"HTTP{code}")] * 2
    assert (elsewhere.connections, len(receiver.requests)) == (0, 2)
    assert [headers for _, headers, _ in receiver.requests if "cookie" in headers] == []


async def test_no_cookie_comes_back(outbound: OpenOutbound) -> None:
    """Two tenants may have the same receiver, and it may name each by a cookie."""
    sets = status(200, b"", "set-cookie: session=1; path=/")
    async with raw_receiver(sets) as receiver, outbound(getaddrinfo=Names(["127.0.0.1"])) as out:
        hook = out.webhook(f"http://{HOST}:{receiver.port}/", (), trusted=True)
        for _ in range(2):
            await hook.send("msg_1", BODY, at=AT)
    assert ["cookie" in headers for _, headers, _ in receiver.requests] == [False, False]


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch, outbound: OpenOutbound) -> None:
    async with raw_receiver() as proxy, raw_receiver() as receiver, outbound() as out:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outcome = await out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
    assert (outcome.kind, proxy.connections, receiver.connections) == (OutcomeKind.DELIVERED, 0, 1)


CERTIFICATES: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str]] = {
    "expired": (lambda authority: authority.server(HOST, ends=TODAY - DAY), "CertificateExpired"),
    "self_signed": (lambda authority: authority.server(HOST, self_signed=True), "CertificateNotTrusted"),
    "wrong_host": (lambda authority: authority.server("other.example.vn"), "CertificateWrongHost"),
    "address_instead_of_name": (lambda authority: authority.server(PUBLIC), "CertificateWrongHost"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
@pytest.mark.parametrize("trusted", [False, True])
async def test_a_bad_certificate_is_never_passed_by(name: str, trusted: bool, authority: Authority, outbound: OpenOutbound) -> None:
    make, word = CERTIFICATES[name]
    async with raw_receiver(host=PUBLIC, tls=make(authority)) as receiver, outbound(getaddrinfo=Names([PUBLIC]), **OPENED) as out:
        outcome = await out.webhook(f"https://{HOST}:{receiver.port}/", (), trusted=trusted).send("msg_1", BODY, at=AT)
    assert (outcome.kind, outcome.http_status, outcome.error_class) == (OutcomeKind.TRY_AGAIN, None, word)
    assert receiver.requests == []


async def test_the_systems_authorities_do_not_know_ours(authority: Authority, outbound: OpenOutbound) -> None:
    async with (
        raw_receiver(host=PUBLIC, tls=authority.server(HOST)) as receiver,
        outbound(getaddrinfo=Names([PUBLIC]), ca_file=None, **OPENED) as out,
    ):
        outcome = await out.webhook(f"https://{HOST}:{receiver.port}/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (outcome.error_class, receiver.requests) == ("CertificateNotTrusted", [])


async def test_plain_http_on_a_tls_port_and_the_other_way_round(authority: Authority, outbound: OpenOutbound) -> None:
    async with raw_receiver(tls=authority.server("localhost")) as secure, raw_receiver() as plain, outbound(timeout_seconds=3) as out:
        to_secure = await out.webhook(f"http://localhost:{secure.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
        to_plain = await out.webhook(f"https://localhost:{plain.port}/", (), trusted=True).send("msg_1", BODY, at=AT)
    assert to_secure.error_class in ("ConnectionLost", "NotHTTP")
    assert to_plain.error_class in ("TLSFailed", "ConnectionFailed", "Timeout")


async def test_nobody_there(outbound: OpenOutbound) -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    async with outbound(getaddrinfo=Names([])) as out:
        refused = await out.webhook(f"http://127.0.0.1:{port}/", (), trusted=True).send("msg_1", BODY, at=AT)
        unknown = await out.webhook("https://nobody.example.vn/", (), trusted=False).send("msg_1", BODY, at=AT)
    assert (refused.error_class, unknown.error_class) == ("ConnectionRefused", "NameNotFound")


async def test_being_stopped_is_the_one_thing_that_is_raised(outbound: OpenOutbound) -> None:
    reached = asyncio.Event()

    async def hangs(talk: Any) -> None:
        reached.set()
        await talk.wait_for_the_end()

    async with raw_receiver(hangs) as receiver, outbound() as out:
        sending = asyncio.create_task(out.webhook(f"http://127.0.0.1:{receiver.port}/", (), trusted=True).send("msg_1", BODY, at=AT))
        await reached.wait()
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        assert sending.cancelled()


def test_the_address_is_read_by_one_parser() -> None:
    """What yarl reads is what is checked and what is called; here is where the usual tricks part two parsers."""
    for trick in ("https://good.example.vn#@127.0.0.1/", "https://good.example.vn?@127.0.0.1/", "https://good.example.vn/@127.0.0.1/"):
        assert URL(trick, encoded=True).raw_host == URL(trick).raw_host == "good.example.vn"


@pytest.mark.parametrize("host", ["127.0.0.1", "n8n"])
async def test_an_entry_with_a_port_opens_that_port_alone(host: str) -> None:
    """Literal addresses meet the socket's check, names the resolver's: each must know the port."""
    async with raw_receiver() as open_to_us, raw_receiver() as database_beside_it:
        allowed = read_allowed_hosts((f"127.0.0.1:{open_to_us.port}",))
        async with guarded_session(NameLookUp(Names(["127.0.0.1"])), ssl.create_default_context(), allowed) as client:
            async with client.post(f"http://{host}:{open_to_us.port}/", data=BODY) as answer:
                assert answer.status == 200
            with pytest.raises(ClientError) as caught:
                await client.post(f"http://{host}:{database_beside_it.port}/", data=BODY)
    assert failure_word(caught.value) == "RefusedAddress"
    assert (open_to_us.connections, database_beside_it.connections) == (1, 0)
