"""A channel's token as it may lie in the database: sealed, and for its own row alone.

Each of the operator's keys (CHANNEL_TOKEN_KEY) is turned into a key of that one row, so that a sealed token copied to another tenant,
platform or channel does not open there. HKDF as in RFC 5869; the seal is Fernet's (AES-128-CBC under HMAC-SHA256).
"""

import base64
from dataclasses import dataclass
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

ROW_KEY_BYTES = 32
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
        self._keys = [] if keys is None else [base64.urlsafe_b64decode(key.strip()) for key in keys.get_secret_value().split(",")]

    @property
    def can_seal(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._keys)

    def seal(self, token: SecretStr, place: TokenPlace) -> bytes:
        """The token as it may be stored in that row. Raises NoSealingKey."""
        return self._box(place).encrypt(token.get_secret_value().encode())

    def open(self, sealed: bytes, place: TokenPlace) -> SecretStr:
        """The token that was sealed for that row. Raises NoOpeningKey, or BrokenSeal when no key opens it there."""
        if not self._keys:
            raise NoOpeningKey
        try:
            return SecretStr(self._box(place).decrypt(sealed).decode())
        except InvalidToken:
            raise BrokenSeal from None

    def is_of_the_first_key(self, sealed: bytes, place: TokenPlace) -> bool:
        """Whether older keys could be taken away without losing this token. Raises NoSealingKey."""
        try:
            Fernet(self._row_keys(place)[0]).decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _box(self, place: TokenPlace) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._row_keys(place)])

    def _row_keys(self, place: TokenPlace) -> list[bytes]:
        if not self._keys:
            raise NoSealingKey
        # Two ids of fixed length around a word of a closed set: no two places read the same.
        info = f"lead-signals channel token|{place.tenant_id}|{place.platform}|{place.channel_id}".encode()
        return [base64.urlsafe_b64encode(HKDF(SHA256(), ROW_KEY_BYTES, salt=None, info=info).derive(key)) for key in self._keys]
