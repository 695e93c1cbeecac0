"""The checks of a Response, in the order of Profiles 4.1.4.3 and Core 2.5."""

from collections.abc import Mapping

from lxml import etree

from gateway.model.assertion import Assertion
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.model.quoting import quoted
from gateway.model.transaction import SamlLogin
from gateway.saml.assertion import (
    authn_statement,
    check_conditions,
    check_confirmation,
    check_in_response_to,
    read_attributes,
    read_authn_context,
    read_authn_instant,
    read_session_end,
    subject_name_id,
)
from gateway.saml.decryption import Decrypted, decrypt
from gateway.saml.document import Document, entity_id_in
from gateway.saml.message_schema import check_message
from gateway.saml.names import (
    FORMAT_ENTITY,
    STATUS_AUTHN_FAILED,
    STATUS_NO_AUTHN_CONTEXT,
    STATUS_NO_PASSIVE,
    STATUS_REQUEST_DENIED,
    STATUS_REQUESTER,
    STATUS_SUCCESS,
    STATUS_UNKNOWN_PRINCIPAL,
    STATUS_VERSION_MISMATCH,
    saml,
    samlp,
)
from gateway.saml.parties import Binding, IdpMetadata, ServiceProvider
from gateway.saml.signature import SignedElement, signature_of, verify, within
from gateway.saml.times import moment

# Seconds between the making of a message and its arrival. The browser that carries it does nothing else meanwhile.
OLDEST = 300

# Core 3.2.2.2
_REFUSALS: Mapping[str, Code] = {
    STATUS_AUTHN_FAILED: saml_codes.STATUS,
    STATUS_REQUEST_DENIED: saml_codes.STATUS,
    STATUS_UNKNOWN_PRINCIPAL: saml_codes.STATUS,
    STATUS_NO_PASSIVE: saml_codes.NO_PASSIVE,
    # It cannot sign this person in as strongly as was asked for.
    STATUS_NO_AUTHN_CONTEXT: saml_codes.NO_AUTHN_CONTEXT,
}


def validate_response(
    document: Document,
    *,
    provider: SamlProvider,
    metadata: IdpMetadata,
    sp: ServiceProvider,
    asked: SamlLogin | None,
    now: int,
    binding: Binding,
) -> Assertion:
    """`asked`: our request, None for an unsolicited response (Profiles 4.1.5). `now`: Unix seconds.

    Raises GatewayError, with a code of its own for each check. saml_codes.SIGNATURE and saml_codes.SIGNATURE_KEY may
    mean that the provider has changed its keys. The caller ensures that the assertion's `id` is used once, until
    `expires`.
    """
    check_metadata(provider, metadata, now)
    # Core 3.2.2, 1.3.4, 4.1.3
    check_message(document.root, samlp("Response"), digit_ids=provider.digit_ids)
    # Profiles 4.1.4.3: verify any signatures on the response
    signed_response = verify(document.root, metadata) if signature_of(document.root) is not None else None
    response = document.root if signed_response is None else signed_response.element
    # Bindings 3.5.5.2
    recipient = sp.artifact_acs if binding == "artifact" else sp.acs
    check_destination(response, recipient, required=binding != "artifact")
    # Profiles 4.1.4.2
    check_issuer(response, metadata, required=False)
    # Core 3.2.2.2
    _check_status(response)
    # Profiles 4.1.5, Core 3.2.2
    if asked is None and not provider.unsolicited:
        raise GatewayError(
            saml_codes.UNSOLICITED, "an unsolicited response; `unsolicited: true` accepts such responses"
        )
    request_id = None if asked is None else asked.request_id
    check_in_response_to(response, request_id)
    # Core 3.2.2
    check_issue_instant(response, now, provider.skew)
    # Profiles 4.1.4.3: verify any signatures on the assertion
    if signed_response is None and provider.signed != "assertion":
        raise GatewayError(
            saml_codes.SIGNATURE_MISSING, "the Response is not signed; `signed:` of the provider requires it"
        )
    cbc = provider.cbc and (signed_response is not None or provider.cbc_in_unsigned_response)
    assertion = _signed_assertion(response, signed_response, provider=provider, metadata=metadata, sp=sp, cbc=cbc)
    return _accepted(
        assertion, provider=provider, metadata=metadata, sp=sp, asked=asked, recipient=recipient, now=now, cbc=cbc
    )


def check_metadata(provider: SamlProvider, metadata: IdpMetadata, now: int) -> None:
    if metadata.entity_id != provider.issuer:
        raise GatewayError(
            saml_codes.ISSUER, f"metadata of {quoted(metadata.entity_id)}, not {quoted(provider.issuer)}"
        )
    # Metadata 2.3.2: expired metadata prove nothing. No skew is tolerated, because they were fetched long before.
    if metadata.valid_until is not None and now >= metadata.valid_until:
        raise GatewayError(saml_codes.METADATA_EXPIRED, f"the metadata expired {now - metadata.valid_until} s ago")


def check_destination(message: etree._Element, location: str, *, required: bool) -> None:
    # Core 3.2.1: compared to the letter. A longer address with the same beginning may be somebody else's.
    destination = message.get("Destination")
    if destination != location and (required or destination is not None):
        raise GatewayError(saml_codes.DESTINATION, f"Destination {quoted(destination)}, not {quoted(location)}")


def check_issuer(element: etree._Element, metadata: IdpMetadata, *, required: bool) -> None:
    # Core 2.2.5, Profiles 4.1.4.2: the value is the entityID; Format is omitted, or that of an entity.
    issuer = next(element.iterchildren(saml("Issuer")), None)
    if issuer is None and not required:
        return
    if issuer is None or entity_id_in(issuer.text) != metadata.entity_id:
        stated = None if issuer is None else issuer.text
        raise GatewayError(saml_codes.ISSUER, f"Issuer {quoted(stated)}, not {quoted(metadata.entity_id)}")
    if issuer.get("Format") not in (None, FORMAT_ENTITY):
        raise GatewayError(saml_codes.ISSUER, "an Issuer of another Format than that of an entity")


def check_issue_instant(element: etree._Element, now: int, skew: int) -> int:
    # Core 2.3.3, 3.2.2
    issued = moment(element.get("IssueInstant", ""), "IssueInstant")
    if issued > now + skew:
        raise GatewayError(
            saml_codes.ISSUE_INSTANT, f"issued {issued - now} s ahead of our clock, {skew} s are tolerated"
        )
    if issued < now - OLDEST - skew:
        detail = f"issued {now - issued} s ago by our clock, {OLDEST + skew} s are tolerated"
        raise GatewayError(saml_codes.ISSUE_INSTANT, detail)
    return issued


def status_codes(response: etree._Element) -> tuple[str, ...]:
    """The top-level status code, then the codes below it (Core 3.2.2.2)."""
    status = next(response.iterchildren(samlp("Status")), None)
    return () if status is None else tuple(code.get("Value", "") for code in status.iter(samlp("StatusCode")))


def status_error(response: etree._Element, code: Code = saml_codes.STATUS) -> GatewayError:
    """The error for a status that is not success. Its detail has the provider's own text, for the operator alone."""
    stated = status_codes(response)
    codes = " ".join(quoted(code, 100) for code in stated[:3])
    message = response.findtext(f"{samlp('Status')}/{samlp('StatusMessage')}")
    return GatewayError(code, f"status {codes}" + (f", message {quoted(message)}" if message else ""))


def _check_status(response: etree._Element) -> None:
    # Core 3.2.2.2
    codes = status_codes(response)
    if codes[:1] != (STATUS_SUCCESS,):
        raise status_error(response, _refusal(codes))


def _refusal(codes: tuple[str, ...]) -> Code:
    """What people are told is of the code that says most. A requester's fault is ours, or the operator's."""
    known = next((_REFUSALS[one] for one in codes if one in _REFUSALS), None)
    if known is not None:
        return known
    ours = codes[:1] in ((STATUS_REQUESTER,), (STATUS_VERSION_MISMATCH,))
    return saml_codes.STATUS_REQUEST if ours else saml_codes.STATUS_UNEXPLAINED


def _signed_assertion(
    response: etree._Element,
    signed_response: SignedElement | None,
    *,
    provider: SamlProvider,
    metadata: IdpMetadata,
    sp: ServiceProvider,
    cbc: bool,
) -> SignedElement:
    """The one assertion, under its own signature or, if the provider file allows, under the signature of the
    Response."""
    found = _assertion(response, provider, sp, cbc)
    element = found.element if isinstance(found, Decrypted) else found
    if signature_of(element) is not None:
        return verify(element, metadata)
    if provider.signed != "response":
        raise GatewayError(
            saml_codes.SIGNATURE_MISSING, "the Assertion is not signed; `signed:` of the provider requires it"
        )
    if signed_response is None:
        raise GatewayError(saml_codes.SIGNATURE_MISSING, "neither the Response nor the Assertion is signed")
    return within(signed_response, found)


def _assertion(
    response: etree._Element, provider: SamlProvider, sp: ServiceProvider, cbc: bool
) -> etree._Element | Decrypted:
    encrypted = next(response.iterchildren(saml("EncryptedAssertion")), None)
    if encrypted is not None:
        # Core 2.3.4
        opened = decrypt(encrypted, saml("Assertion"), sp, cbc=cbc)
        check_message(opened.element, saml("Assertion"), around=response, digit_ids=provider.digit_ids)
        return opened
    assertion = next(response.iterchildren(saml("Assertion")), None)
    if assertion is None:
        raise GatewayError(saml_codes.SHAPE, "a Response of success without an Assertion")
    if provider.encrypted:
        raise GatewayError(
            saml_codes.ENCRYPTION_MISSING, "the Assertion is not encrypted; `encrypted: true` requires it"
        )
    return assertion


def _accepted(
    assertion: SignedElement,
    *,
    provider: SamlProvider,
    metadata: IdpMetadata,
    sp: ServiceProvider,
    asked: SamlLogin | None,
    recipient: str,
    now: int,
    cbc: bool,
) -> Assertion:
    skew = provider.skew
    # Core 2.3.3, Profiles 4.1.4.2: the assertion and the response have the same issuer.
    check_issuer(assertion.element, metadata, required=True)
    issued = check_issue_instant(assertion.element, now, skew)
    # Profiles 4.1.4.3: bearer confirmation; Core 2.4
    request_id = None if asked is None else asked.request_id
    confirmed = check_confirmation(assertion, recipient=recipient, request_id=request_id, now=now, skew=skew)
    # Core 2.5
    valid = check_conditions(assertion, audience=sp.entity_id, now=now, skew=skew)
    # Core 2.7.2
    statement = authn_statement(assertion)
    fresh_since = asked.issued_at if asked is not None and asked.fresh else None
    classes = provider.authn_context if asked is None else asked.authn_context
    comparison = provider.authn_context_comparison if asked is None else asked.comparison
    return Assertion(
        id=assertion.element.get("ID", ""),
        issuer=metadata.entity_id,
        audience=sp.entity_id,
        name_id=subject_name_id(assertion, provider, sp, cbc=cbc),
        session_index=statement.element.get("SessionIndex"),
        session_not_on_or_after=read_session_end(statement, now=now, skew=skew),
        authn_instant=read_authn_instant(statement, fresh_since=fresh_since, now=now, skew=skew),
        authn_context=read_authn_context(statement, asked=classes, comparison=comparison),
        attributes=read_attributes(assertion, sp, cbc=cbc),
        scopes=metadata.scopes,
        # After this moment the checks above refuse the assertion, whether its ID is remembered or not.
        expires=min(confirmed, valid, issued + OLDEST) + skew,
        issued=issued,
    )
