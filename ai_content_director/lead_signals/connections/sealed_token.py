"""A channel's token as it may lie in the database: sealed by CHANNEL_TOKEN_KEY for its own row alone (`database/row_seal`).

A sealed token copied to another tenant, platform or channel does not open there.
"""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from lead_signals.database.row_seal import DoesNotOpen, NoKey, RowSeal

MAKE_A_KEY = "set CHANNEL_TOKEN_KEY to what `openssl rand -base64 32` prints, for the API and the worker alike"


class NoSealingKey(Exception):
    """CHANNEL_TOKEN_KEY is not set: no token can be kept or read. The message says how to make one."""

    def __init__(self, sentence: str = f"Without a key no token can be kept: {MAKE_A_KEY}.") -> None:
        super().__init__(sentence)


class NoOpeningKey(NoSealingKey):
    """The same for a token that is kept already: a new key would not open it."""

    def __init__(self) -> None:
        super().__init__(
            "The stored token cannot be opened, for CHANNEL_TOKEN_KEY is not set: set it to the key that sealed the token, for the API,"
            " the worker and the command line alike."
        )


class BrokenSeal(Exception):
    """None of our keys opens this token: it was sealed by a key that is gone, for another row, or it was changed."""

    def __init__(self) -> None:
        super().__init__(
            "None of the keys in CHANNEL_TOKEN_KEY opens the stored token: put the key back that sealed it, or connect the channel again."
        )


KEY_SENTENCES = (str(NoOpeningKey()), str(BrokenSeal()))
"""What is written down about a channel whose token is fine as far as anybody knows, and whose key is not here."""


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """The row a token belongs to."""

    tenant_id: UUID
    platform: str
    channel_id: UUID


class TokenSeal:
    """Seals and opens tokens. `keys` is CHANNEL_TOKEN_KEY: one key or several separated by commas; the first seals, all open."""

    def __init__(self, keys: SecretStr | None) -> None:
        self._seal = RowSeal(keys)

    @property
    def can_seal(self) -> bool:
        """Whether there is a key at all."""
        return self._seal.can_seal

    def seal(self, token: SecretStr, place: TokenPlace) -> bytes:
        """The token as it may be stored in that row. Raises NoSealingKey."""
        try:
            return self._seal.seal(token, _named(place))
        except NoKey:
            raise NoSealingKey from None

    def open(self, sealed: bytes, place: TokenPlace) -> SecretStr:
        """The token that was sealed for that row. Raises NoOpeningKey, or BrokenSeal when no key opens it there."""
        try:
            return self._seal.open(sealed, _named(place))
        except NoKey:
            raise NoOpeningKey from None
        except DoesNotOpen:
            raise BrokenSeal from None

    def is_of_the_first_key(self, sealed: bytes, place: TokenPlace) -> bool:
        """Whether older keys could be taken away without losing this token. Raises NoSealingKey."""
        try:
            return self._seal.is_of_the_first_key(sealed, _named(place))
        except NoKey:
            raise NoSealingKey from None


def _named(place: TokenPlace) -> str:
    # Two ids of fixed length around a word of a closed set: no two places read the same.
    return f"lead-signals channel token|{place.tenant_id}|{place.platform}|{place.channel_id}"
