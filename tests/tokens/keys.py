"""Private keys of the three kinds that sign tokens, made once."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.tokens.jwt import signing_key
from gateway.tokens.spec import SigningKey, TokenAlgorithm


def pem(algorithm: TokenAlgorithm, number: int = 0) -> bytes:
    """`number`: another key for each."""
    return _pem(algorithm, number)


def key(algorithm: TokenAlgorithm = "ES256", number: int = 0) -> SigningKey:
    return signing_key(algorithm, _pem(algorithm, number))


@cache
def _pem(algorithm: TokenAlgorithm, number: int) -> bytes:
    match algorithm:
        case "ES256":
            private = generate_private_key(SECP256R1())
            return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        case "EdDSA":
            return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        case "RS256":
            rsa = generate_rsa_key(65537, 2048)
            return rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
