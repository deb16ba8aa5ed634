"""The verifier opens what the password opens: by the example of RFC 7677, and by what PostgreSQL itself keeps of the same passwords."""

import hashlib
import hmac
from base64 import b64decode

import asyncpg
import pytest

from lead_signals.database.addresses import DatabaseAddresses
from lead_signals.database.scram_verifier import ITERATIONS, scram_verifier
from tests.intake.open_door import fetch

# RFC 7677, section 3: user "user", password "pencil".
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
MESSAGES = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCE}".encode()
CLIENT_PROOF = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SERVER_SIGNATURE = b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

PASSWORDS = {
    "ascii": "mat-khau' \" \\ % $1 :x",
    "control characters": "mat\tkhau\x7f",
    "vietnamese": "mật khẩu có dấu",
    "decomposed": "ma\u0323\u0302t kha\u0302\u0309u",
    "ligature, roman numeral and wide letters": "ﬁ Ⅳ ＡＢＣ",
    "spaces that are none": "mật\u00a0khẩu\u3000mới",
    "soft hyphen": "mật\u00adkhẩu",
    "nothing but what is dropped": "\u00ad\u200d",
    "emoji": "mật khẩu 🔑",
    "right to left": "سلام",
    "mixed directions": "سلام abc",
    "a number at the right-to-left end": "سلام1",
    "forbidden": "mật\u2028khẩu",
}


def test_the_example_of_the_rfc() -> None:
    mechanism, parameters, keys = scram_verifier("pencil", SALT).split("$")
    stored_key, server_key = (b64decode(key) for key in keys.split(":"))

    assert (mechanism, parameters) == ("SCRAM-SHA-256", "4096:W22ZaJ0SNY7soEsUEjb6gQ==")
    assert hmac.digest(server_key, MESSAGES, "sha256") == SERVER_SIGNATURE
    client_signature = hmac.digest(stored_key, MESSAGES, "sha256")
    client_key = bytes(one ^ other for one, other in zip(CLIENT_PROOF, client_signature, strict=True))
    assert hashlib.sha256(client_key).digest() == stored_key


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
async def test_postgresql_keeps_the_same(password: str, database: DatabaseAddresses) -> None:
    connection = await asyncpg.connect(dsn=database.owner)
    try:
        statement = await connection.fetchval("SELECT format('CREATE ROLE khoa_thu PASSWORD %L', $1::text)", password)
        async with connection.transaction():
            await connection.execute("SET LOCAL password_encryption = 'scram-sha-256'")
            await connection.execute(statement)
            kept: str = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'khoa_thu'")
            await connection.execute("DROP ROLE khoa_thu")
    finally:
        await connection.close()
    iterations, salt = kept.split("$")[1].split(":")
    assert int(iterations) == ITERATIONS
    assert scram_verifier(password, b64decode(salt)) == kept


async def test_each_verifier_has_a_salt_of_its_own(database: DatabaseAddresses) -> None:
    assert scram_verifier("pencil") != scram_verifier("pencil")
    assert (await fetch(database.owner, "SELECT $1 ~ '^SCRAM-SHA-256[$][0-9]+:[0-9A-Za-z+/=]{24}[$]'", scram_verifier("x")))[0][0]
