"""E-mail through a real SMTP server: what arrives, over TLS or not at all, and what each refusal means."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from lead_signals.followups.outcome import OutcomeKind
from tests.followups.destinations.certificates import DAY, TODAY, Authority
from tests.followups.destinations.conftest import AT, OpenOutbound
from tests.followups.destinations.lead_bodies import CONSOLE, lead_body

SALES = ["sales@example.vn", "boss@example.vn"]
FROM = "Lead Signals <leads@example.vn>"
PASSWORD = "p@ss word"


@dataclass(slots=True)
class Mailbox:
    """What a mail server took, and what it answers to each recipient and to the mail itself."""

    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "250 Message accepted"
    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    connections: int = 0
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        answer = self.rcpt.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("250"):
            self.taken.append(envelope)
            self.over_tls.append(server.transport.get_extra_info("sslcontext") is not None)
        return self.data

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append(given.login)
        return AuthResult(handled=False, success=(given.login, given.password) == (b"leads@example.vn", PASSWORD.encode()))

    def mail(self) -> EmailMessage:
        """The one that was taken."""
        (envelope,) = self.taken
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        assert isinstance(parsed, EmailMessage)
        return parsed


@asynccontextmanager
async def mail_server(
    box: Mailbox, *, starttls: ssl.SSLContext | None = None, smtps: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Mailbox]:
    loop = asyncio.get_running_loop()

    def serve() -> SMTP:
        box.connections += 1
        return SMTP(box, hostname="localhost", tls_context=starttls, authenticator=box.authenticate, loop=loop, **options)

    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=smtps)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


def mails(scheme: str, box: Mailbox, *, login: str = "") -> dict[str, str]:
    return {"SMTP_URL": f"{scheme}://{login}localhost:{box.port}", "SMTP_FROM": FROM}


LOGIN = "leads%40example.vn:p%40ss%20word@"


async def test_what_arrives(outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox()) as box, outbound(**mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.answer_head) == (OutcomeKind.DELIVERED, b"250 Message accepted")
    assert (box.taken[0].mail_from, box.taken[0].rcpt_tos, box.connections) == ("leads@example.vn", SALES, 1)
    mail = box.mail()
    assert mail["Subject"] == "Khách cần liên hệ ngay: Hỏi giá – Thu Trần"
    assert (mail["From"], mail["To"]) == (FROM, "sales@example.vn, boss@example.vn")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<msg_abc@example.vn>", "auto-generated")
    assert mail["Date"].datetime == AT
    assert (mail.get_content_type(), mail.get_content_charset()) == ("text/plain", "utf-8")
    assert mail.get_content().replace("\r\n", "\n") == (
        "Nhu cầu: Hỏi giá\nKhách: Thu Trần\nKênh: Facebook\nĐiện thoại: +84903000222\nEmail: thu.tran@example.vn\n\n"
        "Khách viết:\n> Cho mình hỏi giá tủ bếp gỗ sồi.\n> Nhà ở quận 3, cần lắp trước Tết.\n\n"
        f"Mở lead này trong Lead Signals: {CONSOLE}\n"
    )


async def test_a_trial_does_not_look_like_a_customer(outbound: OpenOutbound) -> None:
    trial = lead_body(author_name="Tin thử Lead Signals", content_text="Đọc được dòng này là đã thông.", console_url=None)
    async with mail_server(Mailbox()) as box, outbound(**mails("smtp", box)) as out:
        await out.email(SALES).send("msg_test_1", trial, at=AT)
    mail = box.mail()
    assert (mail["Subject"], mail.get_content()) == ("Tin thử: không phải khách hàng", "Đọc được dòng này là đã thông.\r\n")


async def test_a_repeat_is_the_same_mail(outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox()) as box, outbound(**mails("smtp", box)) as out:
        for _ in range(2):
            await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    first, second = (email.message_from_bytes(envelope.content or b"", policy=email.policy.SMTP) for envelope in box.taken)  # type: ignore[arg-type]
    assert first["Message-ID"] == second["Message-ID"]
    assert box.connections == 2


@pytest.mark.parametrize(
    "name",
    [
        "A\r\nBcc: victim@example.vn",
        "A\nSubject: other\n\nbody",
        "A\r\n\r\n<script>alert(1)</script>",
        "=?utf-8?q?A=0D=0ABcc:_victim@example.vn?=",
        "\u2028Bcc: victim@example.vn\x00\x0b\x85",
        'A" <victim@example.vn>, "B',
        "ế" * 500,
        "\ud83d" + "x",
        "a" * 70 + " " * 200 + "b",
    ],
)
async def test_no_name_adds_a_header_or_a_recipient(name: str, outbound: OpenOutbound) -> None:
    text = f".\r\n{name}\r\n.\r\nMAIL FROM:<victim@example.vn>\r\n..\n\rFrom here"
    body = lead_body(author_name=name.encode("utf-8", "replace").decode(), content_text=text.encode("utf-8", "replace").decode())
    async with mail_server(Mailbox()) as box, outbound(**mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", body, at=AT)
    assert outcome.kind is OutcomeKind.DELIVERED
    mail = box.mail()
    assert sorted(mail.keys()) == sorted(
        ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    )
    assert box.taken[0].rcpt_tos == SALES
    assert sum(line.lower().startswith(b"subject:") for line in (box.taken[0].content or b"").split(b"\r\n\r\n")[0].split(b"\r\n")) == 1  # type: ignore[arg-type]
    assert str(mail["Subject"]).startswith("Khách cần liên hệ ngay: Hỏi giá – ")
    said = mail.get_content().replace("\r\n", "\n").split("Khách viết:\n")[1].split("\n\nMở lead này")[0]
    assert all(line.startswith("> ") for line in said.split("\n"))


async def test_starttls_is_taken_where_it_is_offered_and_the_login_follows(authority: Authority, outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox(), starttls=authority.server("localhost"), auth_required=True) as box:
        for scheme in ("smtp", "smtp+starttls"):
            async with outbound(**mails(scheme, box, login=LOGIN)) as out:
                outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
            assert outcome.kind is OutcomeKind.DELIVERED, outcome
    assert (box.over_tls, box.logins) == ([True, True], [b"leads@example.vn"] * 2)


async def test_smtps(authority: Authority, outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox(), smtps=authority.server("localhost")) as box, outbound(**mails("smtps", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, box.over_tls) == (OutcomeKind.DELIVERED, [True])


@pytest.mark.parametrize(
    ("hosts", "differs", "word"),
    [
        (["localhost"], {"ends": TODAY - DAY}, "CertificateExpired"),
        (["localhost"], {"self_signed": True}, "CertificateNotTrusted"),
        (["other.example.vn"], {}, "CertificateWrongHost"),
    ],
)
@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls", "smtps"])
async def test_a_bad_certificate_gets_no_mail(
    scheme: str, *, hosts: list[str], differs: dict[str, Any], word: str, authority: Authority, outbound: OpenOutbound
) -> None:
    tls = authority.server(*hosts, **differs)
    server = mail_server(Mailbox(), smtps=tls) if scheme == "smtps" else mail_server(Mailbox(), starttls=tls)
    async with server as box, outbound(**mails(scheme, box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class, box.taken) == (OutcomeKind.TRY_AGAIN, word, [])


@pytest.mark.parametrize(("scheme", "login", "word"), [("smtp", LOGIN, "PasswordNeedsTLS"), ("smtp+starttls", "", "NotSupported")])
async def test_without_tls_no_password_and_no_insisting_mail(scheme: str, login: str, word: str, outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox(), auth_require_tls=False) as box, outbound(**mails(scheme, box, login=login)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class, box.taken, box.logins) == (OutcomeKind.TRY_AGAIN, word, [], [])


async def test_a_refused_login(authority: Authority, outbound: OpenOutbound) -> None:
    async with (
        mail_server(Mailbox(), starttls=authority.server("localhost")) as box,
        outbound(**mails("smtp", box, login="leads%40example.vn:wrong@")) as out,
    ):
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class, box.taken) == (OutcomeKind.TRY_AGAIN, "LoginRefused", [])
    assert b"wrong" not in (outcome.answer_head or b"")


@pytest.mark.parametrize(
    ("answers", "kind", "word"),
    [
        (["550 5.1.1 No such user", "550 5.1.1 No such user"], "give_up", "SMTP550"),
        (["553 Mailbox name not allowed", "551 User not local"], "give_up", "SMTP553"),
        (["550 5.1.1 No such user", "250 OK"], "delivered", None),
        (["450 4.2.1 Busy", "250 OK"], "delivered", None),
        (["450 4.2.1 Busy", "550 5.1.1 No such user"], "try_again", "SMTP450"),
        (["451 4.7.1 Greylisted", "451 4.7.1 Greylisted"], "try_again", "SMTP451"),
        (["550 5.7.1 Relaying denied", "550 5.7.1 Relaying denied"], "try_again", "SMTP550"),
        (["530 5.7.0 Authentication required", "530 5.7.0 Authentication required"], "try_again", "SMTP530"),
        (["552 5.2.2 Mailbox full", "552 5.2.2 Mailbox full"], "try_again", "SMTP552"),
        (["554 5.7.1 Listed", "554 5.7.1 Listed"], "try_again", "SMTP554"),
    ],
)
async def test_refused_recipients(answers: list[str], kind: str, word: str | None, outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox(rcpt=dict(zip(SALES, answers, strict=True)))) as box, outbound(**mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class, len(box.taken)) == (kind, word, 1 if kind == "delivered" else 0)
    if word is not None:
        assert outcome.answer_head == answers[0].encode()


@pytest.mark.parametrize("answer", ["451 4.3.0 Later", "554 5.6.0 Looks like spam", "452 4.3.1 Disk full"])
async def test_a_refused_mail_may_be_taken_later(answer: str, outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox(data=answer)) as box, outbound(**mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class) == (OutcomeKind.TRY_AGAIN, f"SMTP{answer[:3]}")


async def test_a_server_that_says_nothing_or_goes_away(outbound: OpenOutbound) -> None:
    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 localhost\r\n")
        writer.close()

    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    words = []
    for server in (hangs, leaves, babbles):
        async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
            box = Mailbox(port=listening.sockets[0].getsockname()[1])
            async with outbound(timeout_seconds=1.0, **mails("smtp", box)) as out:
                outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
        assert outcome.kind is OutcomeKind.TRY_AGAIN
        words.append(outcome.error_class)
    assert words[0] == "Timeout"
    assert words[1] == "ConnectionLost"
    assert words[2] in ("SMTP-1", "ConnectionLost", "SMTP400", "Timeout")


async def test_taken_is_taken_also_when_the_goodbye_hangs(outbound: OpenOutbound) -> None:
    class Rude(Mailbox):
        async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            await asyncio.Event().wait()
            return "221 never"

    async with mail_server(Rude()) as box, outbound(timeout_seconds=1.0, **mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, len(box.taken)) == (OutcomeKind.DELIVERED, 1)


async def test_without_a_mail_server_nothing_is_sent(outbound: OpenOutbound) -> None:
    async with outbound() as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class) == (OutcomeKind.TRY_AGAIN, "NoMailServer")


async def test_nobody_listens(outbound: OpenOutbound) -> None:
    async with mail_server(Mailbox()) as box:
        pass
    async with outbound(**mails("smtp", box)) as out:
        outcome = await out.email(SALES).send("msg_abc", lead_body(), at=AT)
    assert (outcome.kind, outcome.error_class) == (OutcomeKind.TRY_AGAIN, "ConnectionRefused")
