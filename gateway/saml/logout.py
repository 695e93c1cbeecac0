"""Core 3.7, Profiles 4.4: the logout messages that we receive. A message that is not signed ends no session."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from gateway.model.assertion import NameId
from gateway.model.provider import SamlProvider
from gateway.saml.assertion import check_in_response_to, read_name_id
from gateway.saml.document import Document
from gateway.saml.message_schema import LOGOUT_MESSAGES, check_message
from gateway.saml.names import STATUS_PARTIAL_LOGOUT, STATUS_SUCCESS, saml, samlp, xenc
from gateway.saml.parties import IdpMetadata, ServiceProvider
from gateway.saml.response import (
    check_destination,
    check_issue_instant,
    check_issuer,
    check_metadata,
    status_codes,
    status_error,
)
from gateway.saml.signature import SignedElement, signature_of, verify
from gateway.saml.times import moment


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """The provider ends sessions of a person.

    `session_indexes`: the sessions; empty: all sessions of the person.
    `issued`: the IssueInstant, Unix seconds by the provider's clock. The request ends only sessions whose assertion was
    issued earlier, and may therefore arrive twice.
    """

    id: str
    issuer: str
    name_id: NameId = field(repr=False)
    session_indexes: tuple[str, ...]
    issued: int


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """`partial`: another service kept its session (Core 3.7.3.2). Our page tells the person."""

    id: str
    issuer: str
    partial: bool


def signed_logout_message(document: Document, provider: SamlProvider, metadata: IdpMetadata) -> SignedElement:
    """Verifies a signed message received by POST or SOAP. For HTTP-Redirect, see
    `signature.redirected`. Raises what `check_message` and `verify` raise."""
    check_message(document.root, *LOGOUT_MESSAGES, digit_ids=provider.digit_ids)
    # Profiles 4.4.3.1, 4.4.4.1: the signature covers the message itself.
    return verify(document.root, metadata)


def validate_logout_request(
    message: SignedElement,
    *,
    provider: SamlProvider,
    metadata: IdpMetadata,
    sp: ServiceProvider,
    location: str,
    now: int,
) -> LogoutRequest:
    """`location`: the URL of our endpoint that received the message. `now`: Unix seconds.

    Raises GatewayError, with its own code for each check.
    """
    check_metadata(provider, metadata, now)
    request = message.element
    check_message(request, samlp("LogoutRequest"), digit_ids=provider.digit_ids)
    # Bindings 3.4.5.2, 3.5.5.2. SOAP asks for a recipient too: the receiver of a message could send it on to us.
    meant = location == sp.logout_soap and _is_encrypted_for(request, sp)
    check_destination(request, location, required=not meant)
    # Core 3.2.1, Profiles 4.4.4.1
    check_issuer(request, metadata, required=True)
    # Core 3.2.1. Neither IssueInstant nor NotOnOrAfter, after which a request "may" be discarded (3.7.1), is compared
    # with our clock: a wrong one would refuse sign-outs, and a request that comes late ends only what began before it.
    issued = moment(request.get("IssueInstant", ""), "IssueInstant")
    return LogoutRequest(
        id=request.get("ID", ""),
        issuer=metadata.entity_id,
        # The whole message is signed, so that an AES-CBC part of it cannot have been changed.
        name_id=read_name_id(message, sp, cbc=provider.cbc),
        session_indexes=tuple(_session_indexes(message)),
        issued=issued,
    )


def validate_logout_response(
    message: SignedElement,
    *,
    provider: SamlProvider,
    metadata: IdpMetadata,
    location: str,
    request_id: str,
    now: int,
) -> LogoutResponse:
    """`request_id`: the ID of our LogoutRequest; `location`: the URL of our endpoint that received the response.

    Raises GatewayError, with a code of its own for each check; saml_codes.STATUS for another status than success.
    """
    check_metadata(provider, metadata, now)
    response = message.element
    check_message(response, samlp("LogoutResponse"), digit_ids=provider.digit_ids)
    # Bindings 3.4.5.2, 3.5.5.2
    check_destination(response, location, required=True)
    return _read_logout_response(response, provider, metadata, request_id, now)


def validate_soap_logout_response(
    document: Document, *, provider: SamlProvider, metadata: IdpMetadata, url: str, request_id: str, now: int
) -> LogoutResponse:
    """As `validate_logout_response`, for what `url` of the provider's metadata returned on the same connection."""
    check_metadata(provider, metadata, now)
    response = document.root
    check_message(response, samlp("LogoutResponse"), digit_ids=provider.digit_ids)
    # Profiles 4.4.4.2: the response is signed, or the binding, which is TLS, authenticates it (Bindings 3.2.2.1).
    if signature_of(response) is not None or not url.startswith("https:"):
        response = verify(response, metadata).element
    return _read_logout_response(response, provider, metadata, request_id, now)


def _read_logout_response(
    response: etree._Element, provider: SamlProvider, metadata: IdpMetadata, request_id: str, now: int
) -> LogoutResponse:
    # Core 3.2.2, Profiles 4.4.4.2
    check_issuer(response, metadata, required=True)
    check_in_response_to(response, request_id)
    check_issue_instant(response, now, provider.skew)
    # Core 3.2.2.2, 3.7.3.2: PartialLogout is a second-level code, below success or below an error of the responder.
    codes = status_codes(response)
    partial = STATUS_PARTIAL_LOGOUT in codes
    if codes[:1] != (STATUS_SUCCESS,) and not partial:
        raise status_error(response)
    return LogoutResponse(id=response.get("ID", ""), issuer=metadata.entity_id, partial=partial)


def _is_encrypted_for(request: etree._Element, sp: ServiceProvider) -> bool:
    """Whether each EncryptedKey names us as Recipient (XML Encryption 3.5.1). Recipient is signed, as Destination
    is."""
    keys = list(request.iterfind(f"{saml('EncryptedID')}//{xenc('EncryptedKey')}"))
    return bool(keys) and all(key.get("Recipient") == sp.entity_id for key in keys)


def _session_indexes(message: SignedElement) -> Iterator[str]:
    # Core 3.7.1
    for index in message.element.iterchildren(samlp("SessionIndex")):
        yield index.text or ""
