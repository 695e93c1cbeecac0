"""An identity provider that only forges: it signs and encrypts with everything there is, and changes what it signed.

It shares no code with the gateway: digests by hashlib, signatures and ciphers by cryptography.
"""

import base64
import copy
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from lxml import etree

from gateway.saml.parties import KeyPair
from tests.saml.shapes import SHAPES

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MORE07 = "http://www.w3.org/2007/05/xmldsig-more#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"
NS = {"a": SAML, "p": SAMLP, "ds": DS, "xenc": XENC}

RSA_SHA256 = f"{MORE}rsa-sha256"
SHA256 = f"{XENC}sha256"
OAEP_MGF1P = f"{XENC}rsa-oaep-mgf1p"
OAEP = f"{XENC11}rsa-oaep"
GCM256 = f"{XENC11}aes256-gcm"
CBC256 = f"{XENC}aes256-cbc"

_HASHES: Mapping[str, Any] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_DIGESTS = {
    f"{MORE}md5": "md5",
    f"{DS}sha1": "sha1",
    f"{MORE}sha224": "sha224",
    SHA256: "sha256",
    f"{MORE}sha384": "sha384",
    f"{XENC}sha512": "sha512",
}


@dataclass(frozen=True)
class Scene:
    """Who answers whom, and when. `key`: the provider's; `stranger`: a key that nobody published."""

    now: int
    issuer: str
    acs: str
    audience: str
    request_id: str | None
    key: KeyPair
    stranger: KeyPair
    recipient_key: KeyPair
    values: Mapping[str, object] = field(default_factory=dict)

    def but(self, **values: object) -> "Scene":
        return Scene(**{**self.__dict__, "values": {**self.values, **values}})


def at(seconds: float, fraction: str = "") -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def build(scene: Scene, shape: str = "shibboleth") -> etree._Element:
    """An unsigned Response in the shape of a product. A value of None takes its attribute away."""
    now = scene.now
    values: dict[str, object] = {
        "response_id": "_response-1",
        "assertion_id": "_assertion-1",
        "issuer": scene.issuer,
        "destination": scene.acs,
        "recipient": scene.acs,
        "audience": scene.audience,
        "in_response_to": scene.request_id,
        "confirmed_request": scene.request_id,
        "issued": at(now),
        "assertion_issued": at(now),
        "not_before": at(now - 5),
        "not_on_or_after": at(now + 300),
        "confirmed_until": at(now + 300),
        "authn_instant": at(now - 10),
        "session_end": at(now + 28800),
        "session_index": "_session-1",
        "context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "name_id": "AAdzZWNyZXQx",
        "mail": "helene.leboeuf@metropole.example",
        **scene.values,
    }
    text = {name: "\x00" if value is None else str(value) for name, value in values.items()}
    document = SHAPES[shape].format(**{name: value.replace("\x00", "ABSENT") for name, value in text.items()})
    root = etree.fromstring(document.encode())
    for element in root.iter("*"):
        for name, value in list(element.attrib.items()):
            if value == "ABSENT":
                del element.attrib[name]
    return root


def one(root: etree._Element, path: str) -> Any:
    return root.xpath(path, namespaces=NS)[0]


def assertion(root: etree._Element) -> etree._Element:
    return one(root, "//a:Assertion")


def bare_copy(element: etree._Element) -> etree._Element:
    """Without its signature."""
    other = copy.deepcopy(element)
    for signature in other.findall("ds:Signature", NS):
        other.remove(signature)
    return other


def evil_copy(element: etree._Element) -> etree._Element:
    """Names another person, under another ID and without a signature."""
    other = bare_copy(element)
    other.set("ID", "_evil")
    for name_id in other.iter(f"{{{SAML}}}NameID"):
        name_id.text = "admin"
    return other


def written(root: etree._Element) -> bytes:
    return etree.tostring(root)


def parsed(text: str | bytes) -> etree._Element:
    return etree.fromstring(text)


# --- signatures -------------------------------------------------------------------------------------------------------


@cache
def private_key(pair: KeyPair) -> Any:
    return serialization.load_pem_private_key(pair.key, None)


@cache
def dsa_key() -> Any:
    return dsa.generate_private_key(2048)


def sign(
    element: etree._Element,
    key: KeyPair,
    *,
    algorithm: str = RSA_SHA256,
    digest: str = SHA256,
    c14n: str = EXC_C14N,
    transforms: tuple[str, ...] = (ENVELOPED, EXC_C14N),
    prefixes: str | None = None,
    reference: str | None = None,
    key_info: str = "",
    transform_xml: str | None = None,
) -> etree._Element:
    """Signs `element` where it stands; the signature goes after its Issuer. Returns the signature.

    `transform_xml`: what stands in Transforms in place of `transforms`.
    """
    canonical = _canonical(element, transforms[-1] if transforms else EXC_C14N, prefixes)
    inclusive = f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}"/>' if prefixes else ""
    steps = "".join(
        f'<ds:Transform Algorithm="{step}">{inclusive if step.startswith(EXC_C14N) else ""}</ds:Transform>'
        for step in transforms
    )
    uri = f"#{element.get('ID')}" if reference is None else reference
    value = base64.b64encode(hashlib.new(_DIGESTS[digest], canonical).digest()).decode()
    signature = parsed(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"/><ds:Reference URI="{uri}">'
        f"<ds:Transforms>{steps if transform_xml is None else transform_xml}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
        f"</ds:SignedInfo><ds:SignatureValue/>{key_info}</ds:Signature>"
    )
    element.insert(1 if len(element) and element[0].tag == f"{{{SAML}}}Issuer" else 0, signature)
    fill_in(signature, key)
    return signature


def sign_enveloped_alone(element: etree._Element, key: KeyPair) -> etree._Element:
    """As `sign`, with the one transform that Core 5.4.4 asks for. By libxmlsec: it knows what is digested then."""
    signature = xmlsec.template.create(element, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256)
    element.insert(1 if len(element) and element[0].tag == f"{{{SAML}}}Issuer" else 0, signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(key.key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(element, "ID")
    context.sign(signature)
    return signature


def fill_in(signature: etree._Element, key: KeyPair) -> None:
    """The SignatureValue of a SignedInfo as it now stands."""
    info = one(signature, "ds:SignedInfo")
    c14n = one(info, "ds:CanonicalizationMethod").get("Algorithm")
    algorithm = one(info, "ds:SignatureMethod").get("Algorithm")
    octets = _canonical(info, c14n, None)
    one(signature, "ds:SignatureValue").text = base64.b64encode(raw_signature(algorithm, key, octets)).decode()


def raw_signature(algorithm: str, pair: KeyPair, octets: bytes) -> bytes:
    name = algorithm.rpartition("#")[2].lower()
    hash_name = next(
        (each for each in ("sha224", "sha256", "sha384", "sha512", "sha1", "md5") if each in name), "sha256"
    )
    if name.startswith("hmac"):
        # The key confusion: what everybody knows of the provider serves as the secret
        public = private_key(pair).public_key()
        secret = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hmac.new(secret, octets, hash_name).digest()
    hash = _HASHES[hash_name]
    if name.startswith("dsa"):
        return _side_by_side(dsa_key().sign(octets, hash), 32)
    key = private_key(pair)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _side_by_side(key.sign(octets, ec.ECDSA(hash)), (key.key_size + 7) // 8)
    assert isinstance(key, rsa.RSAPrivateKey)
    if "mgf1" in name:
        return key.sign(octets, padding.PSS(padding.MGF1(hash), hash.digest_size), hash)
    return key.sign(octets, padding.PKCS1v15(), hash)


def _side_by_side(der: bytes, size: int) -> bytes:
    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(der))


def _canonical(element: etree._Element, algorithm: str, prefixes: str | None) -> bytes:
    return etree.tostring(
        element,
        method="c14n",
        exclusive=not algorithm.startswith(C14N),
        with_comments=algorithm.endswith("WithComments"),
        inclusive_ns_prefixes=(prefixes or "").split() or None,
        with_tail=False,
    )


def certificate_info(pair: KeyPair) -> str:
    text = "".join(pair.certificate.decode().splitlines()[1:-1])
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


# --- encryption -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """How something is encrypted. `beside`: the EncryptedKey stands beside the EncryptedData."""

    content: str = GCM256
    transport: str = OAEP_MGF1P
    digest: str | None = None
    mask: str | None = None
    beside: bool = False
    recipient: str | None = None
    iv: bytes = b"\x07" * 16
    spoil: Any = None  # bytes of the ciphertext to bytes
    spoil_key: Any = None  # bytes of the wrapped key to bytes
    pad: Any = None  # for CBC: plain bytes to padded bytes


def encrypt(
    element: etree._Element, to: KeyPair, way: Way | None = None, *, plaintext: bytes | None = None
) -> etree._Element:
    """Puts the encrypted form in the place of `element`, and returns it."""
    name = {"Assertion": "EncryptedAssertion", "NameID": "EncryptedID", "Attribute": "EncryptedAttribute"}
    text = etree.tostring(element, with_tail=False) if plaintext is None else plaintext
    encrypted = parsed(_encrypted(name[etree.QName(element).localname], to, way or Way(), text))
    parent = element.getparent()
    assert parent is not None
    parent.replace(element, encrypted)
    return encrypted


def _encrypted(name: str, to: KeyPair, way: Way, text: bytes) -> str:
    bits = next(int(size) for size in ("128", "192", "256", "168") if size in way.content or size == "168")
    key = b"\x2a" * (24 if "tripledes" in way.content else bits // 8)
    value = _ciphertext(way, key, text)
    wrapped = _wrap(way, to, key)
    digest = f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{way.digest}"/>' if way.digest else ""
    mask = f'<x11:MGF xmlns:x11="{XENC11}" Algorithm="{way.mask}"/>' if way.mask else ""
    recipient = f' Recipient="{way.recipient}"' if way.recipient else ""
    encrypted_key = (
        f'<xenc:EncryptedKey Id="_key-{name}"{recipient}><xenc:EncryptionMethod Algorithm="{way.transport}">'
        f"{digest}{mask}</xenc:EncryptionMethod>{_info(to)}<xenc:CipherData><xenc:CipherValue>{base64.b64encode(wrapped).decode()}"
        f"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>"
    )
    inside = f'<ds:RetrievalMethod URI="#_key-{name}"/>' if way.beside else encrypted_key
    return (
        f'<saml:{name} xmlns:saml="{SAML}"><xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
        f'<xenc:EncryptionMethod Algorithm="{way.content}"/><ds:KeyInfo xmlns:ds="{DS}">{inside}</ds:KeyInfo>'
        f"<xenc:CipherData><xenc:CipherValue>{base64.b64encode(value).decode()}</xenc:CipherValue></xenc:CipherData>"
        f"</xenc:EncryptedData>"
        + (encrypted_key.replace("<xenc:EncryptedKey", f'<xenc:EncryptedKey xmlns:xenc="{XENC}"') if way.beside else "")
        + f"</saml:{name}>"
    )


def _info(to: KeyPair) -> str:
    serial = x509.load_pem_x509_certificate(to.certificate).serial_number
    return (
        f'<ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>'
        f"<ds:X509SerialNumber>{serial}</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data></ds:KeyInfo>"
    )


def _ciphertext(way: Way, key: bytes, text: bytes) -> bytes:
    if "gcm" in way.content:
        value = way.iv[:12] + AESGCM(key).encrypt(way.iv[:12], text, None)
    elif "tripledes" in way.content:
        value = way.iv[:8] + b"\x00" * 64
    else:
        padded = way.pad(text) if way.pad else text + b"\x00" * (15 - len(text) % 16) + bytes([16 - len(text) % 16])
        encryptor = Cipher(AES(key), CBC(way.iv)).encryptor()
        value = way.iv + encryptor.update(padded) + encryptor.finalize()
    return bytes(way.spoil(value)) if way.spoil else value


def _wrap(way: Way, to: KeyPair, key: bytes) -> bytes:
    public = x509.load_pem_x509_certificate(to.certificate).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    if way.transport.endswith("rsa-1_5"):
        wrapped = public.encrypt(key, padding.PKCS1v15())
    else:
        name = _DIGESTS.get(way.digest or "", "sha1")
        digest = _HASHES["sha1" if name == "md5" else name]
        mask = _HASHES[way.mask.rpartition("mgf1")[2]] if way.mask else hashes.SHA1()
        wrapped = public.encrypt(key, padding.OAEP(padding.MGF1(mask), digest, None))
    return bytes(way.spoil_key(wrapped)) if way.spoil_key else wrapped
