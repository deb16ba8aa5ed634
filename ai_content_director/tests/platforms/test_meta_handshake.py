"""Meta's verification GET: the challenge comes back only to one who knows the token, and only if it is harmless."""

import pytest

from lead_signals.platforms.meta.handshake import Challenge, HandshakeRefusal, answer_handshake


def test_the_right_token_gets_its_challenge_back_as_text() -> None:
    assert answer_handshake("subscribe", "mã-xác-minh", "1158201444", "mã-xác-minh") == Challenge("1158201444")
    assert answer_handshake("subscribe", "t", "0042", "t") == Challenge("0042")
    assert answer_handshake("subscribe", "t", "a_B-9" + "x" * 251, "t") == Challenge("a_B-9" + "x" * 251)


@pytest.mark.parametrize("expected", [None, "", "   "])
@pytest.mark.parametrize("token", [None, "", "   ", "t"])
def test_an_unset_token_is_closed_whatever_is_shown(expected: str | None, token: str | None) -> None:
    assert answer_handshake("subscribe", token, "1", expected) is HandshakeRefusal.CLOSED


@pytest.mark.parametrize("mode", [None, "", "unsubscribe", "Subscribe"])
def test_another_mode_is_refused(mode: str | None) -> None:
    assert answer_handshake(mode, "t", "1", "t") is HandshakeRefusal.WRONG_MODE


@pytest.mark.parametrize("token", [None, "", "T", "tt", "t ", "đ", "\udcff"])
def test_a_wrong_token_is_refused_and_raises_nothing(token: str | None) -> None:
    assert answer_handshake("subscribe", token, "1", "t") is HandshakeRefusal.WRONG_TOKEN


@pytest.mark.parametrize("challenge", [None, "", "1\n", " 1", "<script>", "a b", "x" * 257, "số", "1;2", "١"])
def test_a_challenge_that_a_browser_could_run_is_not_echoed(challenge: str | None) -> None:
    assert answer_handshake("subscribe", "t", challenge, "t") is HandshakeRefusal.BAD_CHALLENGE
