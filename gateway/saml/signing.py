"""Our own signatures: over the bytes of a query (Bindings 3.4.4.1), and enveloped in a message (Core 5).

Only enveloped signatures need xmlsec, which takes 7 MB of a process and is imported on first use.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from gateway.saml.names import MD, SAML
from gateway.saml.parties import KeyPair

if TYPE_CHECKING:
    import xmlsec

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Method:
    """`uri`: of the signature (RFC 6931 2.3); `signature`, `digest`: as the constants of xmlsec are named."""

    uri: str
    signature: str
    digest: str
    hash: HashAlgorithm


_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_RSA = _Method(f"{_MORE}rsa-sha256", "TransformRsaSha256", "TransformSha256", SHA256())
_BY_CURVE = {
    "secp256r1": _Method(f"{_MORE}ecdsa-sha256", "TransformEcdsaSha256", "TransformSha256", SHA256()),
    "secp384r1": _Method(f"{_MORE}ecdsa-sha384", "TransformEcdsaSha384", "TransformSha384", SHA384()),
    "secp521r1": _Method(f"{_MORE}ecdsa-sha512", "TransformEcdsaSha512", "TransformSha512", SHA512()),
}


def signature_uri(pair: KeyPair) -> str:
    """The SigAlg for this key (Bindings 3.4.4.1)."""
    return _method(_private_key(pair)).uri


def sign_bytes(pair: KeyPair, octets: bytes) -> bytes:
    """The signature over `octets`, in the form of XML signatures: for ECDSA, both numbers joined (RFC 6931 2.3.6)."""
    key = _private_key(pair)
    method = _method(key)
    if isinstance(key, RSAPrivateKey):
        return key.sign(octets, PKCS1v15(), method.hash)
    size = (key.key_size + 7) // 8
    return b"".join(
        number.to_bytes(size, "big") for number in decode_dss_signature(key.sign(octets, ECDSA(method.hash)))
    )


def sign_enveloped(pair: KeyPair, document: bytes, *, certificate: bool = False) -> bytes:
    """Our `document` with a signature over the root, which has an ID.

    The signature follows the Issuer in a message (Core 3.2.1) and comes first in metadata (Metadata 2.3.1).
    `certificate`: put ours in KeyInfo, for readers that expect it.
    """
    import xmlsec

    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    method = _method(_private_key(pair))
    by, digest = getattr(xmlsec.constants, method.signature), getattr(xmlsec.constants, method.digest)
    signature = xmlsec.template.create(root, xmlsec.constants.TransformExclC14N, by, ns="ds")
    root.insert(1 if root[0].tag == f"{{{SAML}}}Issuer" else 0, signature)
    # Core 5.4.2 to 5.4.4: one reference to the root's own ID, enveloped signature, exclusive canonicalization
    reference = xmlsec.template.add_reference(signature, digest, uri=f"#{root.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    if certificate:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    context = xmlsec.SignatureContext()
    context.key = _xmlsec_key(pair, certificate)
    context.register_id(root, "ID")
    context.sign(signature)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=root.tag.startswith(f"{{{MD}}}"))


@lru_cache(maxsize=8)
def _xmlsec_key(pair: KeyPair, certificate: bool) -> "xmlsec.Key":
    import xmlsec

    key = xmlsec.Key.from_memory(pair.key, xmlsec.constants.KeyDataFormatPem)
    if certificate:
        key.load_cert_from_memory(pair.certificate, xmlsec.constants.KeyDataFormatPem)
    return key


# Loading the PEM costs nearly as much as the signature.
@lru_cache(maxsize=8)
def _private_key(pair: KeyPair) -> PrivateKey:
    # The key is the operator's, and was checked when it was read. Another check would cost 40 ms for each signature.
    key = load_pem_private_key(pair.key, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise TypeError(f"key {pair.id} is neither RSA nor EC")
    return key


def _method(key: PrivateKey) -> _Method:
    if isinstance(key, RSAPrivateKey):
        return _RSA
    method = _BY_CURVE.get(key.curve.name)
    if method is None:
        raise TypeError(f"no signature is made on the curve {key.curve.name}")
    return method
