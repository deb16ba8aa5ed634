"""Which addresses are taken, and that no secret path is shown."""

import pytest

from lead_signals.allowed_hosts import read_allowed_hosts
from lead_signals.followups.endpoints.endpoint import EndpointKind
from lead_signals.followups.endpoints.endpoint_address import LONGEST_MAILBOX, show_address, tidy_address, what_is_wrong

WEBHOOK, SLACK, EMAIL = EndpointKind.WEBHOOK, EndpointKind.SLACK, EndpointKind.EMAIL
ALLOWED = read_allowed_hosts(["n8n:5678", "10.8.0.0/16"])


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (WEBHOOK, "https://n8n.example.vn/webhook/lead"),
        (WEBHOOK, "https://93.184.216.34:8443/hook?key=1"),
        (WEBHOOK, "http://n8n:5678/webhook/lead"),
        (WEBHOOK, "http://10.8.3.4/hook"),
        (SLACK, "https://hooks.example.com/services/T01/B02/Xk29"),
        (EMAIL, "ban.hang@example.vn"),
        (EMAIL, "a+b@mail.example.vn,giam-doc@example.com"),
        (EMAIL, ",".join(f"so{number}@example.vn" for number in range(5))),
    ],
)
def test_taken(kind: EndpointKind, address: str) -> None:
    assert what_is_wrong(kind, address, ALLOWED) is None


@pytest.mark.parametrize(
    ("kind", "address", "told"),
    [
        (WEBHOOK, "http://n8n.example.vn/webhook/lead", "must begin with https://"),
        (WEBHOOK, "http://n8n:5679/webhook/lead", "must begin with https://"),
        (WEBHOOK, "https://127.0.0.1/hook", "not reached from here (loopback)"),
        (WEBHOOK, "https://[::ffff:169.254.169.254]/latest", "not reached from here"),
        (WEBHOOK, "https://user:matkhau@n8n.example.vn/", "must not hold a user name"),
        (WEBHOOK, "https://localhost/hook", "this server itself"),
        (WEBHOOK, "ftp://n8n.example.vn/", "Expected an address"),
        (WEBHOOK, "n8n.example.vn/webhook", "Expected an address"),
        (SLACK, "https://10.9.0.1/hook", "not reached from here (private)"),
        (EMAIL, "https://n8n.example.vn/", "Expected 1 to 5 e-mail addresses"),
        (EMAIL, "", "Expected 1 to 5"),
        (EMAIL, "a@example.vn,", "Expected 1 to 5"),
        (EMAIL, "a@example.vn\nBcc: b@example.vn", "Expected 1 to 5"),
        (EMAIL, "a@example.vn\n", "Expected 1 to 5"),
        (EMAIL, "Bán hàng <a@example.vn>", "Expected 1 to 5"),
        (EMAIL, "bán.hàng@example.vn", "Expected 1 to 5"),
        (EMAIL, "a@localhost", "Expected 1 to 5"),
        (EMAIL, "a@[10.0.0.1]", "Expected 1 to 5"),
        (EMAIL, f"{'a' * LONGEST_MAILBOX}@example.vn", "Expected 1 to 5"),
        (EMAIL, ",".join(f"so{number}@example.vn" for number in range(6)), "At most 5"),
    ],
)
def test_refused_with_a_sentence_that_quotes_nothing(kind: EndpointKind, address: str, told: str) -> None:
    problem = what_is_wrong(kind, address, ALLOWED)
    assert problem is not None
    assert told in problem
    assert "matkhau" not in problem


def test_recipients_are_kept_each_once_without_blanks() -> None:
    assert tidy_address(EMAIL, " a@example.vn , b@example.vn,a@example.vn ") == "a@example.vn,b@example.vn"
    assert tidy_address(WEBHOOK, " https://n8n.example.vn/a,b \n") == "https://n8n.example.vn/a,b"


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        (WEBHOOK, "https://n8n.example.vn/webhook/3f1a2b9c-77aa-4d10", "https://n8n.example.vn/…4d10"),
        (WEBHOOK, "https://n8n.example.vn:8443/webhook/lead?token=bimat", "https://n8n.example.vn:8443/…"),
        (WEBHOOK, "https://n8n.example.vn/", "https://n8n.example.vn/"),
        (WEBHOOK, "https://n8n.example.vn", "https://n8n.example.vn/"),
        (WEBHOOK, "https://n8n.example.vn/bimat", "https://n8n.example.vn/…"),
        (WEBHOOK, "https://nguoi:bimat@n8n.example.vn/hook", "https://n8n.example.vn/…"),
        (WEBHOOK, "https://[2606:2800:220:1::1]:8443/", "https://[2606:2800:220:1::1]:8443/"),
        (SLACK, "https://hooks.example.com/services/T0BIMAT01/B0BIMAT02/bimatbimatbimat9xYz", "https://hooks.example.com/…9xYz"),
        (WEBHOOK, "không phải địa chỉ", "…"),
        (EMAIL, "a@example.vn,b@example.vn", "a@example.vn, b@example.vn"),
    ],
)
def test_shown_without_what_opens_it(kind: EndpointKind, address: str, shown: str) -> None:
    assert show_address(kind, address) == shown
    assert "bimat" not in shown
