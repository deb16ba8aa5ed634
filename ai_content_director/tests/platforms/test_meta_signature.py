"""X-Hub-Signature-256, by vectors whose digests were computed elsewhere, and by everything that is almost one."""

import hmac
import json

import pytest

from lead_signals.platforms.meta.signature import verify, verify_delivery
from lead_signals.platforms.signature_verdict import SignatureVerdict
from tests.platforms.adapter_conformance import NOW
from tests.platforms.shared_material import shared_path

SECRET = b"0123456789abcdef0123456789abcdef"
BODY = b'{"object":"page","entry":[{"message":"Gi\\u00e1 bao nhi\\u00eau \\ud83d\\ude0a\\/m\\u00e1y?"}]}'
HEADER = "sha256=db223501966934f943b28ffc02cc3e39fae0d8e671478e051654c745dadc2b6f"
HEXDIGITS = HEADER.removeprefix("sha256=")


def test_a_digest_computed_by_another_program_is_valid() -> None:
    assert verify(HEADER, BODY, [SECRET]) is SignatureVerdict.VALID
    assert verify(HEADER.encode(), BODY, [SECRET]) is SignatureVerdict.VALID


def test_the_bytes_count_and_not_their_meaning() -> None:
    same_meaning = json.dumps(json.loads(BODY), ensure_ascii=False).encode()
    assert json.loads(same_meaning) == json.loads(BODY)
    assert verify(HEADER, same_meaning, [SECRET]) is SignatureVerdict.MISMATCH


def test_a_body_of_plain_utf8_is_signed_as_it_is() -> None:
    raw = '{"message":"Giá bao nhiêu 😊"}'.encode()
    assert verify("sha256=" + hmac.new(SECRET, raw, "sha256").hexdigest(), raw, [SECRET]) is SignatureVerdict.VALID


@pytest.mark.parametrize("header", [None, "", b""])
def test_a_missing_header_is_missing(header: str | bytes | None) -> None:
    assert verify(header, BODY, [SECRET]) is SignatureVerdict.MISSING


@pytest.mark.parametrize(
    "header",
    [
        HEXDIGITS,
        "sha1=" + hmac.new(SECRET, BODY, "sha1").hexdigest(),
        "sha1=" + HEXDIGITS,
        "sha512=" + HEXDIGITS,
        "SHA256=" + HEXDIGITS,
        "sha256=" + HEXDIGITS.upper(),
        "sha256=" + HEXDIGITS[:-1],
        "sha256=" + HEXDIGITS[:32],
        "sha256=" + HEXDIGITS + "0",
        "sha256=" + HEXDIGITS + "\n",
        " sha256=" + HEXDIGITS,
        "sha256=" + "z" * 64,
        "sha256=",
        "sha256=" + "é" * 64,
        "sha256=" + "\udcff" * 64,
        b"sha256=" + b"\xff" * 64,
        HEADER + "," + HEADER,
    ],
)
def test_what_is_almost_a_signature_is_malformed_and_raises_nothing(header: str | bytes) -> None:
    assert verify(header, BODY, [SECRET]) is SignatureVerdict.MALFORMED


def test_every_secret_is_computed_even_after_one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[bytes] = []
    compute = hmac.new
    monkeypatch.setattr(hmac, "new", lambda key, message, digest: (keys.append(key), compute(key, message, digest))[1])
    assert verify(HEADER, BODY, [SECRET, b"cu", b"rat cu"]) is SignatureVerdict.VALID
    assert keys == [SECRET, b"cu", b"rat cu"]


def test_an_empty_secret_never_fits_although_it_could_be_computed() -> None:
    forged = "sha256=" + hmac.new(b"", BODY, "sha256").hexdigest()
    assert verify(forged, BODY, [b""]) is SignatureVerdict.MISMATCH
    assert verify(forged, BODY, [b"", SECRET]) is SignatureVerdict.MISMATCH
    assert verify(HEADER, BODY, [b"", SECRET]) is SignatureVerdict.VALID


def test_a_delivery_needs_exactly_one_signature_header() -> None:
    good, legacy = (
        (b"x-hub-signature-256", HEADER.encode()),
        (b"x-hub-signature", b"sha1=" + hmac.new(SECRET, BODY, "sha1").hexdigest().encode()),
    )
    assert verify_delivery([good, legacy], BODY, [SECRET], NOW) is SignatureVerdict.VALID
    assert verify_delivery([(b"X-Hub-Signature-256", good[1])], BODY, [SECRET], NOW) is SignatureVerdict.VALID
    assert verify_delivery([legacy], BODY, [SECRET], NOW) is SignatureVerdict.MISSING
    assert verify_delivery([good, good], BODY, [SECRET], NOW) is SignatureVerdict.MALFORMED


def test_public_hmac_vectors() -> None:
    suite = json.loads(shared_path("corpora/wycheproof/hmac_sha256_test.json").read_bytes())
    judged = dict.fromkeys(SignatureVerdict, 0)
    for group in suite["testGroups"]:
        for case in group["tests"]:
            key, message = bytes.fromhex(case["key"]), bytes.fromhex(case["msg"])
            verdict = verify("sha256=" + case["tag"], message, [key])
            judged[verdict] += 1
            if len(case["tag"]) != 64:
                assert verdict is SignatureVerdict.MALFORMED, case["tcId"]
            elif case["result"] == "valid" and key:
                assert verdict is SignatureVerdict.VALID, case["tcId"]
            else:
                assert verdict is SignatureVerdict.MISMATCH, case["tcId"]
    assert all(judged[verdict] > 10 for verdict in (SignatureVerdict.VALID, SignatureVerdict.MISMATCH, SignatureVerdict.MALFORMED))


def test_public_x_hub_signature_vectors() -> None:
    vectors = json.loads(shared_path("corpora/standard-webhooks/x_hub_signature_256_vectors.json").read_bytes())["x_hub_signature_256"]
    assert vectors
    for vector in vectors:
        assert verify(vector["header"], vector["body_utf8"].encode(), [vector["secret"].encode()]) is SignatureVerdict.VALID


def test_a_real_signed_delivery_that_was_published() -> None:
    raw = shared_path("payloads/signed-message__messenger4j-messenger4j__1.json").read_bytes()
    published = b"60efff025951cddde78c8d03de52cc90"
    assert hmac.new(published, raw, "sha1").hexdigest() == "3daa41999293ff66c3eb313e04bcf77861bb0276"
    header = "sha256=2c28be6e4b8c62b732b3487f445dbec6624868db6844b347567ebc86d7da3ad4"
    assert verify(header, raw, [published]) is SignatureVerdict.VALID
    assert verify(header, raw + b"\n", [published]) is SignatureVerdict.MISMATCH
