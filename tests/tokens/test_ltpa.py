"""LTPA2 tokens, against a token, keys and password that others have published.

They are those of the tests of spring-security-ltpa2-core (github.com/sephiroth-j), which reads WebSphere's tokens.
"""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1

from gateway.model.errors import GatewayError
from gateway.tokens.ltpa import ltpa2_token, ltpa_keys
from gateway.tokens.making import described, make
from gateway.tokens.spec import Carrier, Ltpa2Spec, TokenClaim
from tests.tokens.test_making import FOREVER, HELENE, NOW

PASSWORD = b"test123"
PUBLIC = (
    "AOECPMDAs0o7MzQIgxZhAXJZ2BaDE3mqRZAbkbQO38CgUIgeAPEA3iWIYp+p/Ai0J4//UOml20an+AuCnDGzcFCaf3S3EAiR4cK59vl/u8TIswPIg2ak"
    "h4J7qL3E/qRxN9WD945tS3h0YhJZSq7rC22wytLsxbFuKpEuYfm1i5spAQAB"
)
EXPORTED = rf"""#IBM WebSphere Application Server key file
com.ibm.websphere.CreationDate=Mon Feb 19 12\:31\:00 CET 2018
com.ibm.websphere.ltpa.version=1.0
com.ibm.websphere.ltpa.3DESKey=JvywHhxC+EhtUdeusbo31E5IUOEPmbMxMnKTTOB39fo\=
com.ibm.websphere.ltpa.PrivateKey=dP4F2H1MSphvjXHFnLqc1sUYiM83Mkg5MzCQWbxya0xMLPl6lwSbC9+SuCpbHTb9Qdl1w3d5bcDf400tBnfStdtkRYSOeo9oEbXOG4RqIV0x3WZx7AyJ5D8wVIfzOjgvfdQXqNkoiatyMwptvCytyEVbWH2kj3j0gB8O2/miPsbnZqNdIRDAt4TE2YjhVagC/ZP2xxxwncLDexF8Bme7NaMtJUlGMe8Nhkb61Z52PU2FHJAF6zPaTwj+JcZ/tg63lr5wRI9hGFOb7MhBrhgm9YiBqPOT30Crl28FHtTP9pnrqiC45QxU3aXVsYFh0hXptkkK9HeTk/YWFjDPVlfg9azrgGq64wHHg3cSjV21GAE\=
com.ibm.websphere.ltpa.Realm=LdapRegistry
com.ibm.websphere.ltpa.PublicKey={PUBLIC}
""".encode()
TOKEN = (
    b"Wl3qcMXdvCZjScDwB18/5VYujKDYsptVWXwNVW2yKuZw6h5Kg4amiGDeQCh2xmtNVPgCkzyk66ZWrdY70+nQEe+gotHjJtrcoW/VnbbQAwrQE5GojqK+"
    b"1RdjvnwmQ9QULqcYAItw4ggZ2JF3CRR5uZ3NSFgkZpzkcMbfuYSWipNXsqEUHKONUlrg0Oc6lNKqWknx87HoPKmTnkGD5gdecu1FJCKUXSk1tanAjN3R"
    b"aEWY8woxMIJQEMw/yeOrA9Fe+1nWjGAR5ITgkm+whpXfzl3n3g7kWHaBJf8DUUlKRsww4oCe3+t85b1WqoTC6FZw2qovLwn3ioRm1eIBDPO+KQZD60Ps"
    b"4f+QEOjFzkLQC2f6BlZKc8KMHhffRQRpBgOD6kYV/wGDRHuvkK5vMAeJtQ=="
)
DN = "CN=fae6d87c-c642-45a6-9f09-915c7fd8b08c,OU=user,DC=foo,DC=bar"
ENDS = 1_519_043_460


def spec(**changes: Any) -> Ltpa2Spec:
    keys = ltpa_keys(EXPORTED, PASSWORD)
    known = Ltpa2Spec(
        carrier=Carrier("cookie", "LtpaToken2"),
        account=TokenClaim("account", "dn"),
        realm=keys.realm,
        shared_key=keys.shared,
        private_key=keys.private,
        life=300,
        spare=15,
    )
    return replace(known, **changes)


def who(name: str) -> Any:
    return replace(HELENE, attributes={"dn": (name,)})


def parts(token: bytes) -> list[str]:
    """Body, end and signature, of which the last is verified; raises InvalidSignature."""
    key = spec().shared_key
    decryptor = Cipher(AES(key), CBC(key)).decryptor()
    plain = decryptor.update(base64.b64decode(token)) + decryptor.finalize()
    body, ends, signature = plain[: -plain[-1]].decode().rsplit("%", 2)
    public = base64.b64decode(PUBLIC)
    numbers = RSAPublicNumbers(int.from_bytes(public[129:132]), int.from_bytes(public[:129]))
    digest = hashlib.sha1(body.encode()).digest()
    numbers.public_key().verify(base64.b64decode(signature), digest, PKCS1v15(), SHA1())
    return [body, ends]


def test_what_others_have_written_is_written_here_to_the_byte() -> None:
    assert ltpa2_token(spec(), who(DN), ends=ENDS) == TOKEN
    assert parts(TOKEN)[0] == rf"expire:1519043460000$u:user\:LdapRegistry/{DN}"


def test_it_ends_with_the_session_and_is_renewed_before() -> None:
    """Invariant 16."""
    found = make([spec()], who(DN), [], now=NOW, not_after=FOREVER, chance=bytes)
    assert (found.renew_at, found.ends) == (NOW + 150, 1_800_000_285)
    assert parts(found.cookies.removeprefix(b"LtpaToken2="))[1] == "1800000300000"
    found = make([spec()], who(DN), [], now=NOW, not_after=NOW + 40, chance=bytes)
    assert parts(found.cookies.removeprefix(b"LtpaToken2="))[1] == f"{int(NOW + 55)}000"


def test_what_separates_is_escaped_in_a_name() -> None:
    body, _ = parts(ltpa2_token(spec(realm="a:b"), who("CN=100%,O=a$b:c"), ends=ENDS))
    assert body == r"expire:1519043460000$u:user\:a\:b/CN=100\%,O=a\$b\:c"


@pytest.mark.parametrize("name", ["CN=a\\", "CN=a\\:b", "CN=a\\$b", "CN=a\\%b"])
def test_a_name_that_would_take_the_separator_with_it_is_refused(name: str) -> None:
    """The reader takes `\\%` for a part of the name, and the rest of the token with it."""
    with pytest.raises(GatewayError, match="a backslash before a separator") as refused:
        make([spec()], who(name), [], now=NOW, not_after=FOREVER, chance=bytes)
    assert refused.value.code.id == "translation.unencodable"
    assert make([spec()], who("CN=M\\, H"), [], now=NOW, not_after=FOREVER, chance=bytes).cookies


def test_another_key_verifies_nothing() -> None:
    other = bytearray(base64.b64decode(TOKEN))
    other[20] ^= 1
    with pytest.raises((InvalidSignature, UnicodeDecodeError, ValueError)):
        parts(base64.b64encode(other))


@pytest.mark.parametrize(
    ("exported", "password", "why"),
    [
        (EXPORTED, b"test124", "3DESKey does not open with this password"),
        (b"", PASSWORD, "3DESKey is missing"),
        (EXPORTED.replace(b"PrivateKey", b"Private"), PASSWORD, "PrivateKey is missing"),
        (EXPORTED.replace(b"3DESKey=Jvy", b"3DESKey=***"), PASSWORD, "3DESKey does not open with this password"),
        (EXPORTED.replace(b"PrivateKey=dP4F", b"PrivateKey=AAAA"), PASSWORD, "PrivateKey"),
    ],
)  # fmt: skip
def test_keys_that_are_none_are_refused_without_a_word_of_them(exported: bytes, password: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}") as refused:
        ltpa_keys(exported, password)
    assert "test12" not in str(refused.value)


def test_what_is_described_can_be_used_by_nobody() -> None:
    assert described([spec()], who(DN)) == (
        {},
        {"LtpaToken2": f'(LTPA2, 300 s) {{"u": "user:LdapRegistry/{DN}"}}'},
    )
    assert "key" not in repr(spec())
