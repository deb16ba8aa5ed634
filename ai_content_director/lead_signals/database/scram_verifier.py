"""What PostgreSQL keeps of a password, made here: the password itself never goes into a statement, and so into no log or message.

Source of the form and of the sums: RFC 5802, RFC 7677 and PostgreSQL's scram-common.c; of the preparation: RFC 4013 and saslprep.c.
"""

import hashlib
import hmac
import secrets
import stringprep
import unicodedata
from base64 import b64encode

ITERATIONS = 4096  # PostgreSQL's default of scram_iterations
SALT_BYTES = 16

_NOT_IN_A_PASSWORD = (
    stringprep.in_table_a1,  # not assigned in Unicode 3.2: emoji, for example
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """`SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as `ALTER ROLE … PASSWORD` takes it. ASCII without quotes.

    `salt` is drawn anew unless one is given.
    """
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server_key = _keyed(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_base64(salt)}${_base64(stored_key)}:{_base64(server_key)}"


def _prepared(password: str) -> str:
    """SASLprep, as server and clients apply it: a password it forbids is used as it is."""
    if password.isascii():
        return password
    mapped = "".join(" " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char))
    prepared = unicodedata.normalize("NFKC", mapped)
    forbidden = any(in_table(char) for char in prepared for in_table in _NOT_IN_A_PASSWORD)
    return password if not prepared or forbidden or _mixes_directions(prepared) else prepared


def _mixes_directions(text: str) -> bool:
    """RFC 3454, section 6: what has a right-to-left letter begins and ends with one, and has no left-to-right letter."""
    if not any(stringprep.in_table_d1(char) for char in text):
        return False
    framed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return not framed or any(stringprep.in_table_d2(char) for char in text)


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _base64(value: bytes) -> str:
    return b64encode(value).decode("ascii")
