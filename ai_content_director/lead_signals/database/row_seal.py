"""A secret as it may lie in a table: sealed, and for its own place alone.

Each of the operator's keys (CHANNEL_TOKEN_KEY) is turned into a key of that one place, so that what is sealed and then copied to another
row or column does not open there. HKDF as in RFC 5869; the seal is Fernet's (AES-128-CBC under HMAC-SHA256). What a missing or a wrong
key means to a person is said where the secret belongs.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

ROW_KEY_BYTES = 32


class NoKey(Exception):
    """CHANNEL_TOKEN_KEY is not set: nothing can be sealed or opened."""


class DoesNotOpen(Exception):
    """None of our keys opens it: it was sealed by a key that is gone, for another place, or it was changed."""


class RowSeal:
    """Seals and opens. `keys` is CHANNEL_TOKEN_KEY: one key or several separated by commas; the first seals, all open.

    A place is a text that names row and column and reads like no other place.
    """

    def __init__(self, keys: SecretStr | None) -> None:
        self._keys = [] if keys is None else [base64.urlsafe_b64decode(key.strip()) for key in keys.get_secret_value().split(",")]

    @property
    def can_seal(self) -> bool:
        """Whether there is a key at all."""
        return bool(self._keys)

    def seal(self, secret: SecretStr, place: str) -> bytes:
        """The secret as it may be stored in that place. Raises NoKey."""
        return self._box(place).encrypt(secret.get_secret_value().encode())

    def open(self, sealed: bytes, place: str) -> SecretStr:
        """The secret that was sealed for that place. Raises NoKey, or DoesNotOpen when no key opens it there."""
        try:
            return SecretStr(self._box(place).decrypt(sealed).decode())
        except InvalidToken:
            raise DoesNotOpen from None

    def is_of_the_first_key(self, sealed: bytes, place: str) -> bool:
        """Whether older keys could be taken away without losing this secret. Raises NoKey."""
        try:
            Fernet(self._row_keys(place)[0]).decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _box(self, place: str) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._row_keys(place)])

    def _row_keys(self, place: str) -> list[bytes]:
        if not self._keys:
            raise NoKey
        info = place.encode()
        return [base64.urlsafe_b64encode(HKDF(SHA256(), ROW_KEY_BYTES, salt=None, info=info).derive(key)) for key in self._keys]
