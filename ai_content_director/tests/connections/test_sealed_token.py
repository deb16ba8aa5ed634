"""A sealed token opens in its own row, under one of our keys, and nowhere else."""

import base64
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from lead_signals.connections.sealed_token import BrokenSeal, NoOpeningKey, NoSealingKey, TokenPlace, TokenSeal
from lead_signals.settings import ConfigurationError, read_settings
from tests.connections.connected_pages import OLDER_KEY, SEALING_KEY
from tests.graph_api.graph_stand_in import PAGE_TOKEN

HERE = TokenPlace(uuid4(), "facebook", uuid4())
TOKEN = SecretStr(PAGE_TOKEN)


def seal_with(*keys: str) -> TokenSeal:
    return TokenSeal(read_settings({"CHANNEL_TOKEN_KEY": ",".join(keys)}).channel_token_key)


def test_what_was_sealed_comes_back_and_shows_nothing_meanwhile() -> None:
    seal = seal_with(SEALING_KEY)
    sealed = seal.seal(TOKEN, HERE)
    assert seal.open(sealed, HERE).get_secret_value() == PAGE_TOKEN
    assert PAGE_TOKEN.encode() not in sealed
    assert seal.seal(TOKEN, HERE) != sealed
    assert PAGE_TOKEN not in f"{seal!r} {seal.open(sealed, HERE)!r} {seal.open(sealed, HERE)}"


def test_a_token_that_an_earlier_release_sealed_still_opens() -> None:
    """Sealed by the code before `database/row_seal`: the place must be told in the same words for ever."""
    place = TokenPlace(UUID("11111111-2222-4333-8444-555555555555"), "facebook", UUID("66666666-7777-4888-8999-aaaaaaaaaaaa"))
    sealed = b"gAAAAABrA5fjfwZob_N2ZPkiefG4ALoyAUql1THy6ovEr8bWAzmYElN8rdv9fXrNn1MSCbErgAG_GdAvUZCY7Q04Kn6Err_iqaxDuwmcA-BZl0IkZ3bvauA="
    assert seal_with(OLDER_KEY, SEALING_KEY).open(sealed, place).get_secret_value() == "EAAmot-tu-cua-ngay-xua"
    assert seal_with(SEALING_KEY).is_of_the_first_key(sealed, place)


@pytest.mark.parametrize(
    "elsewhere",
    [
        TokenPlace(uuid4(), HERE.platform, HERE.channel_id),
        TokenPlace(HERE.tenant_id, "instagram", HERE.channel_id),
        TokenPlace(HERE.tenant_id, HERE.platform, uuid4()),
        TokenPlace(HERE.channel_id, HERE.platform, HERE.tenant_id),
    ],
    ids=["another tenant", "another platform", "another channel", "ids exchanged"],
)
def test_a_token_moved_to_another_row_does_not_open(elsewhere: TokenPlace) -> None:
    seal = seal_with(SEALING_KEY)
    with pytest.raises(BrokenSeal):
        seal.open(seal.seal(TOKEN, HERE), elsewhere)


def test_the_first_key_seals_and_every_key_opens() -> None:
    older = seal_with(OLDER_KEY).seal(TOKEN, HERE)
    both = seal_with(SEALING_KEY, f" {OLDER_KEY} ")
    assert both.open(older, HERE).get_secret_value() == PAGE_TOKEN
    assert not both.is_of_the_first_key(older, HERE)
    renewed = both.seal(both.open(older, HERE), HERE)
    assert both.is_of_the_first_key(renewed, HERE)
    assert seal_with(SEALING_KEY).open(renewed, HERE).get_secret_value() == PAGE_TOKEN


@pytest.mark.parametrize("change", [lambda sealed: sealed[:-1], lambda sealed: b"", lambda sealed: sealed[:20] + b"A" + sealed[21:]])
def test_what_was_changed_does_not_open(change: object) -> None:
    seal = seal_with(SEALING_KEY)
    with pytest.raises(BrokenSeal) as told:
        seal.open(change(seal.seal(TOKEN, HERE)), HERE)  # type: ignore[operator]
    assert "put the key back" in str(told.value)
    assert PAGE_TOKEN not in str(told.value)


def test_another_key_does_not_open() -> None:
    with pytest.raises(BrokenSeal):
        seal_with(OLDER_KEY).open(seal_with(SEALING_KEY).seal(TOKEN, HERE), HERE)


def test_without_a_key_nothing_is_sealed_and_the_sentence_says_how_to_make_one() -> None:
    seal = TokenSeal(None)
    assert not seal.can_seal
    with pytest.raises(NoSealingKey, match="`openssl rand -base64 32` prints"):
        seal.seal(TOKEN, HERE)


def test_without_a_key_nothing_is_opened_and_nobody_is_told_to_make_another_one() -> None:
    with pytest.raises(NoOpeningKey, match="set it to the key that sealed the token") as told:
        TokenSeal(None).open(seal_with(SEALING_KEY).seal(TOKEN, HERE), HERE)
    assert "openssl" not in str(told.value)


def test_a_key_is_taken_as_openssl_prints_it_and_in_the_other_alphabet() -> None:
    """`openssl rand -base64` prints the alphabet with + and /; Fernet's own keys come with - and _."""
    plain = base64.b64encode(bytes([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF, *range(26)])).decode()
    assert {"+", "/"} <= set(plain)
    sealed = seal_with(plain).seal(TOKEN, HERE)
    assert seal_with(plain).open(sealed, HERE).get_secret_value() == PAGE_TOKEN
    assert seal_with(plain.translate(str.maketrans("+/", "-_"))).open(sealed, HERE).get_secret_value() == PAGE_TOKEN


def test_settings_refuse_what_is_no_key() -> None:
    with pytest.raises(ConfigurationError, match="CHANNEL_TOKEN_KEY"):
        read_settings({"CHANNEL_TOKEN_KEY": f"{SEALING_KEY},khoa-cua-toi"})
