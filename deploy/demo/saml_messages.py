"""The SAML messages of the demo's identity provider, written and signed; all that it knows of the protocol."""

import base64
import secrets
import time
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from deploy.demo.accounts import Account

ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

_LARGEST = 64 * 1024
_LIVES = 120
_SUCCESS = (
    f'<p:Status xmlns:p="{PROTOCOL}"><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider is. `key`, `certificate`: PEM."""

    entity_id: str
    key: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that a browser brought by redirect. `issuer`: who it says that it is from."""

    id: str
    issuer: str
    relay_state: str
    root: etree._Element


def read_redirect(query: str) -> Asked | None:
    """None: no SAMLRequest that could be read. Its signature is not looked at: everybody may ask this provider."""
    fields = parse_qs(query)
    try:
        stream = zlib.decompressobj(-15)
        message = stream.decompress(base64.b64decode(fields["SAMLRequest"][0], validate=True), _LARGEST)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(message, parser)
    except (KeyError, ValueError, zlib.error, etree.LxmlError):
        return None
    issuer = root.findtext(f"{{{ASSERTION}}}Issuer") or ""
    return Asked(root.get("ID", ""), issuer, fields.get("RelayState", [""])[0], root)


def metadata(identity: Identity, sign_on: str, logout: str) -> bytes:
    certificate = "".join(identity.certificate.decode().splitlines()[1:-1])
    redirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
    text = (
        f'<md:EntityDescriptor xmlns:md="{METADATA}" entityID={quoteattr(identity.entity_id)} ID="{new_id()}">'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}"><md:KeyDescriptor use="signing">'
        '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        f'<md:SingleLogoutService Binding="{redirect}" Location={quoteattr(logout)}/>'
        f'<md:SingleSignOnService Binding="{redirect}" Location={quoteattr(sign_on)}/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    )
    root = etree.fromstring(text)
    _sign(root, identity, 0)
    return etree.tostring(root)


def response(identity: Identity, asked: Asked, acs: str, audience: str, account: Account) -> bytes:
    """A Response with a signed assertion about the account."""
    now = time.time()
    head = f'Version="2.0" IssueInstant="{_at(now)}"'
    issuer = f'<a:Issuer xmlns:a="{ASSERTION}">{escape(identity.entity_id)}</a:Issuer>'
    text = (
        f'<p:Response xmlns:p="{PROTOCOL}" xmlns:a="{ASSERTION}" ID="{new_id()}" {head} '
        f"InResponseTo={quoteattr(asked.id)} Destination={quoteattr(acs)}>{issuer}{_SUCCESS}"
        f'<a:Assertion ID="{new_id()}" {head}>{issuer}<a:Subject><a:NameID>{escape(account.login)}</a:NameID>'
        '<a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><a:SubjectConfirmationData '
        f'InResponseTo={quoteattr(asked.id)} Recipient={quoteattr(acs)} NotOnOrAfter="{_at(now + _LIVES)}"/>'
        "</a:SubjectConfirmation></a:Subject>"
        f'<a:Conditions NotBefore="{_at(now - 5)}" NotOnOrAfter="{_at(now + _LIVES)}">'
        f"<a:AudienceRestriction><a:Audience>{escape(audience)}</a:Audience></a:AudienceRestriction></a:Conditions>"
        f'<a:AuthnStatement AuthnInstant="{_at(now)}" SessionIndex="{new_id()}"><a:AuthnContext>'
        "<a:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified</a:AuthnContextClassRef></a:AuthnContext></a:AuthnStatement>"
        f"<a:AttributeStatement>{_attributes(account)}</a:AttributeStatement></a:Assertion></p:Response>"
    )
    root = etree.fromstring(text)
    _sign(root[-1], identity, 1)
    return etree.tostring(root)


def logout_response(identity: Identity, asked: Asked, destination: str) -> str:
    """Where the browser goes back to: the answer, signed, in the address (Bindings 3.4.4.1)."""
    text = (
        f'<p:LogoutResponse xmlns:p="{PROTOCOL}" xmlns:a="{ASSERTION}" ID="{new_id()}" Version="2.0" '
        f'IssueInstant="{_at(time.time())}" InResponseTo={quoteattr(asked.id)} Destination={quoteattr(destination)}>'
        f"<a:Issuer>{escape(identity.entity_id)}</a:Issuer>{_SUCCESS}</p:LogoutResponse>"
    )
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = squeeze.compress(text.encode()) + squeeze.flush()
    fields = {
        "SAMLResponse": base64.b64encode(deflated).decode(),
        "RelayState": asked.relay_state,
        "SigAlg": RSA_SHA256,
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items() if value)
    key = load_pem_private_key(identity.key, None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the key of the demo is RSA")
    signature = base64.b64encode(key.sign(query.encode(), PKCS1v15(), SHA256())).decode()
    return f"{destination}?{query}&Signature={quote(signature, safe='')}"


def new_id() -> str:
    return f"_{secrets.token_hex(16)}"


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attributes(account: Account) -> str:
    text = ""
    for name, value in account.claims.items():
        values = "".join(f"<a:AttributeValue>{escape(each)}</a:AttributeValue>" for each in _texts(value))
        text += f"<a:Attribute Name={quoteattr(name)}>{values}</a:Attribute>"
    return text


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _sign(root: etree._Element, identity: Identity, place: int) -> None:
    """An enveloped signature over the element, at this place among its children."""
    transform = xmlsec.constants
    signature = xmlsec.template.create(root, transform.TransformExclC14N, transform.TransformRsaSha256, ns="ds")
    root.insert(place, signature)
    reference = xmlsec.template.add_reference(signature, transform.TransformSha256, uri=f"#{root.get('ID')}")
    xmlsec.template.add_transform(reference, transform.TransformEnveloped)
    xmlsec.template.add_transform(reference, transform.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(identity.key, transform.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(signature)
