"""What strangers wrote does nothing to the terminal it is shown on."""

from datetime import UTC, datetime
from uuid import UUID

from lead_signals.printable import printable
from lead_signals.tenancy.tenant import Tenant
from lead_signals.welcome import welcome

HOSTILE = "\x1b[2J\x1b]0;PWNED\x07Cơ khí\r\nfake line\u202e\x9b31m"


def test_signs_a_terminal_acts_upon_are_replaced_and_letters_stay() -> None:
    assert printable("Cơ khí Minh Phát 😀") == "Cơ khí Minh Phát 😀"
    assert not set(printable(HOSTILE)) & set("\x1b\x07\r\n\u202e\x9b")
    assert len(printable(HOSTILE)) == len(HOSTILE)


def test_a_tenants_name_cannot_paint_the_welcome() -> None:
    tenant = Tenant(UUID(int=1), HOSTILE, "", datetime(2026, 11, 22, tzinfo=UTC))
    lines = welcome("http://127.0.0.1:8000", tenant, log_path=None)
    assert "\x1b" not in lines
    assert not [line for line in lines.splitlines() if line.startswith("fake line")]
