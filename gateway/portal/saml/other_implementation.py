"""The verdict of a second SAML implementation, with its strictest settings, on a Response that the gateway accepted.

The package is python3-saml (the extra of the same name), imported at the first question. It parses the accepted octets
again.
"""

import base64
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import NameOID
from lxml import etree

from gateway.model.assertion import Assertion
from gateway.model.provider import SamlProvider
from gateway.model.transaction import SamlLogin
from gateway.saml.document import Document
from gateway.saml.parties import Binding, IdpMetadata, KeyPair, ServiceProvider


@dataclass(frozen=True, slots=True)
class Accepted:
    """A Response that validate_response has accepted, and the other inputs of the validation. `now`: Unix seconds."""

    document: Document
    assertion: Assertion
    provider: SamlProvider
    metadata: IdpMetadata
    sp: ServiceProvider
    asked: SamlLogin | None
    binding: Binding
    now: int

    @property
    def recipient(self) -> str:
        return self.sp.artifact_acs if self.binding == "artifact" else self.sp.acs

    @property
    def grounds(self) -> str:
        """The grounds of acceptance, for the log, without personal values."""
        request = "unsolicited" if self.asked is None else f"InResponseTo {self.asked.request_id}"
        signed = {"assertion": "Assertion", "response": "Response", "both": "Response and Assertion"}
        return f"{signed[self.provider.signed]} signed by {self.metadata.entity_id}, {request}, {self.assertion.id}"


class DoesNotAgree(Exception):
    """python3-saml refuses the Response, or reads another person or other values. The text is the reason."""


def ask_python3_saml(accepted: Accepted) -> None:
    """Raises DoesNotAgree where python3-saml refuses with each of our keys, with the reason of the first key; any
    other error is a fault of python3-saml."""
    refusals = []
    for ours in _decryption_keys(accepted):
        try:
            _ask_with(ours, accepted)
        except DoesNotAgree as refused:
            refusals.append(refused)
        else:
            return
    raise refusals[0] if refusals else DoesNotAgree("no key was given")


def _decryption_keys(accepted: Accepted) -> tuple[KeyPair, ...]:
    """Returns the keys to try: python3-saml takes one decryption key at a time, and a rollover has several."""
    return accepted.sp.keys if b"EncryptedData" in accepted.document.octets else accepted.sp.keys[:1]


def _ask_with(ours: KeyPair, accepted: Accepted) -> None:
    import xmlsec
    from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
    from onelogin.saml2.response import OneLogin_Saml2_Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings

    url = urlsplit(accepted.recipient)
    request: dict[str, object] = {
        "https": "on" if url.scheme == "https" else "off",
        "http_host": url.netloc,
        "script_name": url.path,
        "get_data": {},
        "post_data": {},
    }
    request_id = None if accepted.asked is None else accepted.asked.request_id
    encoded = base64.b64encode(accepted.document.octets).decode("ascii")
    settings = OneLogin_Saml2_Settings(_settings(accepted, ours))
    try:
        response = OneLogin_Saml2_Response(settings, encoded)
        response.is_valid(request, request_id=request_id, raise_exceptions=True)
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, etree.LxmlError, xmlsec.Error) as error:
        raise DoesNotAgree(str(error)) from None
    _compare(accepted, response.get_nameid(), response.get_attributes())


def _settings(accepted: Accepted, ours: KeyPair) -> Mapping[str, Any]:
    provider, asked = accepted.provider, accepted.asked
    contexts = provider.authn_context if asked is None else asked.authn_context
    comparison = provider.authn_context_comparison if asked is None else asked.comparison
    certificates = [_certificate(key) for key in accepted.metadata.signing_keys]
    return {
        "strict": True,
        "sp": {
            "entityId": accepted.sp.entity_id,
            "assertionConsumerService": {"url": accepted.recipient},
            "x509cert": ours.certificate.decode("ascii", "ignore"),
            "privateKey": ours.key.decode("ascii", "ignore"),
        },
        "idp": {
            "entityId": accepted.metadata.entity_id,
            # Required by the settings, and not used.
            "singleSignOnService": {"url": "https://unused.invalid/"},
            "x509certMulti": {"signing": certificates, "encryption": certificates[:1]},
        },
        "security": {
            "wantAssertionsSigned": provider.signed in ("assertion", "both"),
            "wantMessagesSigned": provider.signed in ("response", "both"),
            "wantAssertionsEncrypted": provider.encrypted,
            "wantNameId": accepted.assertion.name_id is not None,
            "wantAttributeStatement": False,
            "allowRepeatAttributeName": True,
            "rejectDeprecatedAlgorithm": True,
            "failOnAuthnContextMismatch": True,
            # The package only knows the comparison `exact`.
            "requestedAuthnContext": list(contexts) if contexts and comparison == "exact" else False,
        },
    }


def _compare(accepted: Accepted, name_id: str | None, attributes: Mapping[str, Sequence[str | None]]) -> None:
    """Compares the two readings: a wrapped signature shows as two different people in one Response."""
    ours = accepted.assertion
    if ours.name_id is not None and name_id != ours.name_id.value:
        raise DoesNotAgree("it reads another NameID")
    for attribute in ours.attributes:
        theirs = [value for value in attributes.get(attribute.name, ()) if isinstance(value, str)]
        # python3-saml leaves out an empty value, and reads a NameID in a value as no text.
        missing = {value for value in attribute.values if value} - set(theirs)
        if missing and theirs:
            raise DoesNotAgree(f"it reads other values of {attribute.name}")


@lru_cache(256)
def _certificate(key: bytes) -> str:
    """Returns a certificate in PEM around a provider's key (SubjectPublicKeyInfo, DER): python3-saml takes no bare key,
    and metadata may have no certificate. Its issuer and dates mean nothing; no other code uses the certificate."""
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("provider", "nobody"))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(cast(CertificatePublicKeyTypes, load_der_public_key(key)))
        .serial_number(1)
        .not_valid_before(datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC))
        .sign(_nobody(), SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode("ascii")


@cache
def _nobody() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())
