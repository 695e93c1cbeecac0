"""The verdict of another SAML implementation on a Response that ours has accepted, with its strictest settings.

Both implementations are foreign packages (the extras python3-saml and pygamlastan), imported at first use. Each gets
the accepted octets unchanged, and reads them with its own parser.
"""

import base64
import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, cast
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID
from lxml import etree

from gateway.model.assertion import Assertion
from gateway.model.provider import SamlProvider
from gateway.model.transaction import SamlLogin
from gateway.saml.document import Document
from gateway.saml.parties import Binding, IdpMetadata, KeyPair, OtherImplementation, ServiceProvider
from gateway.saml.response import OLDEST


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
    """The other implementation refuses the Response, or reads another person or other values. The text is the
    reason."""


Ask = Callable[[Accepted], None]
"""Raises DoesNotAgree, and whatever else where it could not tell."""


def other_implementation(name: OtherImplementation) -> Ask:
    return _python3_saml if name == "python3-saml" else _pygamlastan


def _python3_saml(accepted: Accepted) -> None:
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

    def ask(ours: KeyPair) -> None:
        settings = OneLogin_Saml2_Settings(_settings(accepted, ours))
        try:
            response = OneLogin_Saml2_Response(settings, encoded)
            response.is_valid(request, request_id=request_id, raise_exceptions=True)
        except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError, etree.LxmlError, xmlsec.Error) as error:
            raise DoesNotAgree(str(error)) from None
        _compare(accepted, response.get_nameid(), response.get_attributes())

    _with_any([partial(ask, ours) for ours in _openers(accepted)])


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
            # Asked for by its settings, and used for nothing here.
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
            # It compares to the letter alone.
            "requestedAuthnContext": list(contexts) if contexts and comparison == "exact" else False,
        },
    }


def _pygamlastan(accepted: Accepted) -> None:
    import pygamlastan
    from pygamlastan import crypto, profiles, security

    provider = accepted.provider
    config = security.SecurityConfig.strict()
    config.clock_skew_seconds = provider.skew
    config.max_assertion_age_seconds = OLDEST + provider.skew
    config.check_client_address = False
    config.require_signed_assertions = provider.signed in ("assertion", "both")
    config.require_signed_responses = provider.signed in ("response", "both")
    config.require_encrypted_assertions = provider.encrypted
    config.allow_unsolicited_responses = accepted.asked is None
    config.verify_destination = accepted.binding != "artifact"
    text = accepted.document.octets.decode("utf-8-sig")

    def ask(ours: KeyPair, theirs: bytes) -> None:
        known, keys = crypto.KeysManager(), crypto.KeysManager()
        known.add_key_pem(_public_key(theirs))
        keys.add_key_pem(ours.key)
        try:
            found = profiles.process_response_verified(
                text,
                crypto.SamlVerifier(known),
                config,
                accepted.sp.entity_id,
                accepted.recipient,
                accepted.metadata.entity_id,
                None if accepted.asked is None else accepted.asked.request_id,
                now=datetime.datetime.fromtimestamp(accepted.now, datetime.UTC),
                # An assertion is used once by our own book, which is asked after this.
                replay_cache=security.InMemoryReplayCache(),
                unsafe_no_persistent_id_store=True,
                decryptor=crypto.SamlDecryptor(keys),
            )
        except pygamlastan.SamlError as error:
            raise DoesNotAgree(str(error)) from None
        _compare(accepted, found.name_id, found.attributes_dict())

    # It tries the first key that it knows.
    _with_any([partial(ask, ours, theirs) for theirs in accepted.metadata.signing_keys for ours in _openers(accepted)])


def _openers(accepted: Accepted) -> tuple[KeyPair, ...]:
    """Returns the keys to try: an implementation knows one decryption key, and a rollover has several."""
    return accepted.sp.keys if b"EncryptedData" in accepted.document.octets else accepted.sp.keys[:1]


def _with_any(ways: Iterable[Callable[[], None]]) -> None:
    """Tries the ways until one succeeds. Raises DoesNotAgree, with the reason of the first way, if all fail."""
    refusals = []
    for ask in ways:
        try:
            ask()
        except DoesNotAgree as refused:
            refusals.append(refused)
        else:
            return
    raise refusals[0] if refusals else DoesNotAgree("no key was given")


def _compare(accepted: Accepted, name_id: str | None, attributes: Mapping[str, Sequence[str | None]]) -> None:
    """Compares the two readings: a wrapped signature shows as two different people in one Response."""
    ours = accepted.assertion
    if ours.name_id is not None and name_id != ours.name_id.value:
        raise DoesNotAgree("it reads another NameID")
    for attribute in ours.attributes:
        theirs = [value for value in attributes.get(attribute.name, ()) if isinstance(value, str)]
        # An empty value is none to one of the two; a NameID for a value has no text of its own to the other.
        missing = {value for value in attribute.values if value} - set(theirs)
        if missing and theirs:
            raise DoesNotAgree(f"it reads other values of {attribute.name}")


def _public_key(key: bytes) -> bytes:
    """PEM, of SubjectPublicKeyInfo in DER."""
    return load_der_public_key(key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@lru_cache(256)
def _certificate(key: bytes) -> str:
    """PEM: a certificate around a key of the provider (SubjectPublicKeyInfo, DER), for python3-saml takes no bare key,
    and metadata need not have more. Its issuer and its dates say nothing, and the certificate goes nowhere else."""
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
