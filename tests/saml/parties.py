"""We and a provider, with keys that are made once a run, and readers of what we build that are none of ours."""

import datetime
from functools import cache
from typing import Literal

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from gateway.model.provider import MetadataFile, Perimeter, SamlProvider
from gateway.saml.parties import Endpoint, IdpMetadata, KeyPair, ServiceProvider

NOW = 1_800_000_000.0
IDP = "https://idp.metropole.example/metadata"
PORTAL = "https://portail.example/_ecluse/saml"

Kind = Literal["rsa", "rsa-1024", "p256", "p384", "p521"]

_CURVES: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}


def pair(id: str = "2026", kind: Kind = "rsa") -> KeyPair:
    """Its certificate has run out: the key counts, not the dates."""
    return _pair(id, kind)


@cache
def _pair(id: str, kind: Kind) -> KeyPair:
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind in _CURVES:
        key = ec.generate_private_key(_CURVES[kind])
    else:
        key = rsa.generate_private_key(65537, 1024 if kind == "rsa-1024" else 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, id)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2016, 1, 1))
        .not_valid_after(datetime.datetime(2017, 1, 1))
        .sign(key, hashes.SHA256())
    )
    return KeyPair(
        id=id,
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
    )


@cache
def spki(pair: KeyPair) -> bytes:
    """What metadata says of this key."""
    key = x509.load_pem_x509_certificate(pair.certificate).public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate_text(pair: KeyPair) -> str:
    """As an X509Certificate element holds it."""
    return "".join(pair.certificate.decode().splitlines()[1:-1])


@cache
def service_provider(*keys: KeyPair) -> ServiceProvider:
    return ServiceProvider(
        entity_id=f"{PORTAL}/metadata",
        acs=f"{PORTAL}/acs",
        artifact_acs=f"{PORTAL}/artifact",
        logout=f"{PORTAL}/logout",
        logout_soap=f"{PORTAL}/soap",
        keys=keys or (pair(),),
    )


PROVIDER = SamlProvider(
    name="metropole",
    label="Métropole",
    issuer=IDP,
    metadata=MetadataFile(b""),
    signed="assertion",
    attributes={},
    tenant_attribute=None,
    perimeter=Perimeter(),
    skew=180,
    session_idle=1800,
    session_absolute=43200,
)


def idp(*keys: KeyPair) -> IdpMetadata:
    return IdpMetadata(
        entity_id=IDP,
        signing_keys=tuple(map(spki, keys)),
        sign_on=(Endpoint("redirect", "https://idp.metropole.example/sso"),),
        artifact_resolution=(Endpoint("soap", "https://idp.metropole.example/artifact", index=1),),
    )


def verified_by_xmlsec(document: bytes, pair: KeyPair) -> etree._Element:
    """The root, whose own signature libxmlsec finds good by this certificate's key; xmlsec.Error otherwise."""
    root = etree.fromstring(document)
    signature = root.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair.certificate, xmlsec.constants.KeyDataFormatCertPem)
    context.register_id(root, "ID")
    context.verify(signature)
    (reference,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}Reference")
    assert reference.get("URI") == f"#{root.get('ID')}"
    return root
