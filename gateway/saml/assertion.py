"""Core 2 and Profiles 4.1.4.3: the checks of an assertion, and the person's attributes.

The functions read a SignedElement: content that the provider did not sign cannot reach this module.
"""

from collections.abc import Iterator

from lxml import etree

from gateway.model.assertion import LONGEST_NAME, NameId, SamlAttribute, is_one_spelling
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import SamlProvider
from gateway.model.quoting import quoted
from gateway.saml.decryption import decrypt
from gateway.saml.message_schema import check_message
from gateway.saml.names import BEARER, FORMAT_ENCRYPTED, FORMAT_UNSPECIFIED, XSI, saml
from gateway.saml.parties import ServiceProvider
from gateway.saml.signature import SignedElement, within
from gateway.saml.times import moment


def has_name_id(signed: SignedElement) -> bool:
    return next(signed.element.iterchildren(saml("NameID"), saml("EncryptedID")), None) is not None


def read_name_id(signed: SignedElement, sp: ServiceProvider, *, cbc: bool) -> NameId:
    """The NameID or EncryptedID that is a child of `signed` (Core 2.2.3, 2.2.4). `cbc`: see `decrypt`.

    Raises GatewayError: saml_codes.SUBJECT, and what decryption raises.
    """
    encrypted = next(signed.element.iterchildren(saml("EncryptedID")), None)
    if encrypted is not None:
        found = within(signed, decrypt(encrypted, saml("NameID"), sp, cbc=cbc)).element
        check_message(found, saml("NameID"))
    else:
        clear = next(signed.element.iterchildren(saml("NameID")), None)
        if clear is None:
            raise GatewayError(saml_codes.SUBJECT, "no NameID")
        found = clear
    return NameId(
        value=_name_id_value(found.text or ""),
        format=found.get("Format"),
        name_qualifier=found.get("NameQualifier"),
        sp_name_qualifier=found.get("SPNameQualifier"),
        sp_provided_id=found.get("SPProvidedID"),
    )


def subject_name_id(
    assertion: SignedElement, provider: SamlProvider, sp: ServiceProvider, *, cbc: bool
) -> NameId | None:
    """None: the assertion has no NameID, and the provider file names an attribute to use instead."""
    # Core 2.4.1
    subject = child(assertion, "Subject", saml_codes.SUBJECT)
    if not has_name_id(subject):
        if provider.subject_without_name_id is None:
            detail = "no NameID; the provider can send one, or `subject_without_name_id` name an attribute in its place"
            raise GatewayError(saml_codes.SUBJECT, detail)
        return None
    name_id = read_name_id(subject, sp, cbc=cbc)
    # Core 3.4.1.1: a provider that cannot use the requested format has to return an error.
    asked = provider.name_id_format
    if asked not in (None, FORMAT_UNSPECIFIED, FORMAT_ENCRYPTED) and name_id.format != asked:
        raise GatewayError(saml_codes.SUBJECT, f"a NameID of the format {quoted(name_id.format)}, not {quoted(asked)}")
    return name_id


def check_confirmation(signed: SignedElement, *, recipient: str, request_id: str | None, now: int, skew: int) -> int:
    """Until when the bearer is confirmed, in Unix seconds. One valid SubjectConfirmation is enough (Core 2.4.1).

    Of several, the latest end counts: until then the assertion could be replayed, and has to be remembered.
    `recipient`: the URL of our endpoint; `request_id`: the ID of our request, None for an unsolicited response.
    """
    subject = child(signed, "Subject", saml_codes.SUBJECT_CONFIRMATION)
    refusal, ends = (saml_codes.SUBJECT_CONFIRMATION, "no SubjectConfirmation of the method bearer"), []
    for confirmation in subject.element.iterchildren(saml("SubjectConfirmation")):
        # Profiles 4.1.4.3: bearer alone
        if confirmation.get("Method") != BEARER:
            continue
        bearer = within(subject, confirmation)
        try:
            ends.append(_confirmed_until(bearer, recipient=recipient, request_id=request_id, now=now, skew=skew))
        except GatewayError as error:
            # We keep no error: its traceback would hold this frame, and with it the whole document.
            refusal = error.code, error.detail
    if not ends:
        raise GatewayError(*refusal)
    return max(ends)


def _confirmed_until(
    confirmation: SignedElement, *, recipient: str, request_id: str | None, now: int, skew: int
) -> int:
    data = next(confirmation.element.iterchildren(saml("SubjectConfirmationData")), None)
    if data is None:
        raise GatewayError(saml_codes.SUBJECT_CONFIRMATION, "a bearer confirmation without SubjectConfirmationData")
    # Profiles 4.1.4.3: Recipient is the URL of our endpoint that received the response
    if data.get("Recipient") != recipient:
        raise GatewayError(saml_codes.RECIPIENT, f"Recipient {quoted(data.get('Recipient'))}, not {quoted(recipient)}")
    # Profiles 4.1.4.2: a bearer confirmation has no NotBefore
    if data.get("NotBefore") is not None:
        raise GatewayError(saml_codes.SUBJECT_CONFIRMATION, "a bearer confirmation with NotBefore")
    # Profiles 4.1.4.3: NotOnOrAfter
    until = _required_moment(data, "NotOnOrAfter", saml_codes.SUBJECT_CONFIRMATION)
    _check_not_over(until, now, skew, "SubjectConfirmationData")
    # Profiles 4.1.4.3, 4.1.5: InResponseTo
    check_in_response_to(data, request_id)
    return until


def check_in_response_to(element: etree._Element, request_id: str | None) -> None:
    """Checks that a Response, or its bearer confirmation, names our request. An unsolicited Response names no
    request."""
    stated = element.get("InResponseTo")
    if request_id is None and stated is not None:
        raise GatewayError(saml_codes.UNSOLICITED, "an answer to a request that is not under way")
    if stated != request_id:
        raise GatewayError(saml_codes.IN_RESPONSE_TO, f"{_name(element)} answers no request, or another than ours")


def check_conditions(signed: SignedElement, *, audience: str, now: int, skew: int) -> int:
    """Until when the assertion is valid, in Unix seconds (Core 2.5.1). `audience`: our entityID."""
    conditions = child(signed, "Conditions", saml_codes.CONDITIONS)
    # Core 2.5.1.2
    start = conditions.element.get("NotBefore")
    if start is not None and moment(start, "NotBefore of Conditions") > now + skew:
        ahead = moment(start, "NotBefore of Conditions") - now
        raise GatewayError(
            saml_codes.NOT_BEFORE, f"Conditions valid {ahead} s from now by our clock, {skew} s are tolerated"
        )
    until = _required_moment(conditions.element, "NotOnOrAfter", saml_codes.CONDITIONS)
    _check_not_over(until, now, skew, "Conditions")
    # Core 2.5.1.4: each restriction has to name us; Profiles 4.1.4.2: there is at least one restriction.
    restrictions = conditions.element.findall(saml("AudienceRestriction"))
    if not restrictions:
        raise GatewayError(saml_codes.AUDIENCE, "no AudienceRestriction")
    for restriction in restrictions:
        if audience not in [each.text for each in restriction.iterchildren(saml("Audience"))]:
            raise GatewayError(saml_codes.AUDIENCE, f"an AudienceRestriction without {quoted(audience)}")
    # Core 2.5.1.5 and 2.5.1.6: at most one of each. We need not read them: we use each assertion once and issue none.
    for name in ("OneTimeUse", "ProxyRestriction"):
        if len(conditions.element.findall(saml(name))) > 1:
            raise GatewayError(saml_codes.CONDITIONS, f"{name} twice")
    return until


def authn_statement(signed: SignedElement) -> SignedElement:
    # Profiles 4.1.4.2 asks for at least one. Of several, we could not tell which session they are about.
    statements = signed.element.findall(saml("AuthnStatement"))
    if len(statements) != 1:
        raise GatewayError(saml_codes.AUTHN_STATEMENT, f"{len(statements)} AuthnStatements, not 1")
    return within(signed, statements[0])


def read_authn_instant(statement: SignedElement, *, fresh_since: int | None, now: int, skew: int) -> int:
    """When the person signed in, in Unix seconds. `fresh_since`: when we requested a new authentication (ForceAuthn,
    Core 3.4.1), None if we did not. Raises GatewayError: saml_codes.AUTHN_INSTANT, saml_codes.TIME."""
    # Core 2.7.2
    at = moment(statement.element.get("AuthnInstant", ""), "AuthnInstant")
    # A sign-in in the future would count as a fresh one until then, and beyond.
    if at > now + skew:
        raise GatewayError(saml_codes.AUTHN_INSTANT, f"an authentication {at - now} s ahead of our clock")
    if fresh_since is not None and at < fresh_since - skew:
        raise GatewayError(
            saml_codes.AUTHN_INSTANT, f"an authentication {fresh_since - at} s older than the request for one"
        )
    return at


def read_session_end(statement: SignedElement, *, now: int, skew: int) -> int | None:
    # Profiles 4.1.4.3: SessionNotOnOrAfter
    text = statement.element.get("SessionNotOnOrAfter")
    if text is None:
        return None
    end = moment(text, "SessionNotOnOrAfter")
    if now >= end + skew:
        raise GatewayError(saml_codes.SESSION_EXPIRED, f"a session that ended {now - end} s ago")
    return end


def read_authn_context(statement: SignedElement, *, asked: tuple[str, ...], comparison: str) -> str | None:
    # Core 2.7.2.2, 3.3.2.2.1
    stated = statement.element.findtext(f"{saml('AuthnContext')}/{saml('AuthnContextClassRef')}") or None
    if not satisfies(stated, asked, comparison):
        wanted = ", ".join(quoted(each) for each in asked[:4])
        raise GatewayError(
            saml_codes.AUTHN_CONTEXT, f"AuthnContextClassRef {quoted(stated)}, asked for {comparison} {wanted}"
        )
    return stated


def read_attributes(signed: SignedElement, sp: ServiceProvider, *, cbc: bool) -> tuple[SamlAttribute, ...]:
    # Core 2.7.3
    found: list[SamlAttribute] = []
    for statement in signed.element.iterchildren(saml("AttributeStatement")):
        stated = within(signed, statement)
        for child in stated.element.iterchildren("*"):
            if child.tag == saml("Attribute"):
                found.append(_attribute(child, sp))
            else:
                # Core 2.7.3.2
                opened = within(stated, decrypt(child, saml("Attribute"), sp, cbc=cbc)).element
                check_message(opened, saml("Attribute"))
                found.append(_attribute(opened, sp))
    return tuple(found)


def _attribute(attribute: etree._Element, sp: ServiceProvider) -> SamlAttribute:
    return SamlAttribute(
        name=attribute.get("Name", ""),
        friendly_name=attribute.get("FriendlyName"),
        values=tuple(_values(attribute)),
        of_another_sp=any(
            (name_id.get("SPNameQualifier") or sp.entity_id) != sp.entity_id
            for name_id in attribute.iterfind(f"{saml('AttributeValue')}/{saml('NameID')}")
        ),
    )


def _values(attribute: etree._Element) -> Iterator[str]:
    """The texts of the values, or of the NameID in a value (eduPersonTargetedID). Values with other content are
    skipped."""
    for value in attribute.iterchildren(saml("AttributeValue")):
        if value.get(f"{{{XSI}}}nil") in ("true", "1"):
            continue
        children = list(value.iterchildren("*"))
        if not children:
            yield value.text or ""
        elif children[0].tag == saml("NameID"):
            yield children[0].text or ""


def _name_id_value(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME:
        raise GatewayError(saml_codes.SUBJECT, f"a NameID of {len(text)} characters, not 1 to {LONGEST_NAME}")
    if not is_one_spelling(text):
        raise GatewayError(
            saml_codes.SUBJECT, "a NameID with characters that do not print, or in another form than NFKC"
        )
    return text


def child(signed: SignedElement, name: str, code: Code) -> SignedElement:
    found = next(signed.element.iterchildren(saml(name)), None)
    if found is None:
        raise GatewayError(code, f"no {name}")
    return within(signed, found)


def _required_moment(element: etree._Element, name: str, code: Code) -> int:
    text = element.get(name)
    if text is None:
        raise GatewayError(code, f"{_name(element)} without {name}")
    return moment(text, f"{name} of {_name(element)}")


def _check_not_over(until: int, now: int, skew: int, what: str) -> None:
    if now >= until + skew:
        raise GatewayError(saml_codes.EXPIRED, f"{what} over {now - until} s ago, {skew} s are tolerated")


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


# --- the authentication context

# Scales in rising order. Outside of them only the provider knows which class is the stronger ("as deemed by the
# responder"), and many providers ignore the request altogether. So a class of no scale satisfies only if it was named.
_SCALES = (
    ("http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"),
    ("eidas1", "eidas2", "eidas3"),
)


def are_of_one_scale(classes: tuple[str, ...]) -> bool:
    return any(all(each in scale for each in classes) for scale in _SCALES)


def satisfies(stated: str | None, asked: tuple[str, ...], comparison: str) -> bool:
    """`stated`: the provider's class, if any; `asked`: ours; `comparison`: exact, minimum, better or maximum."""
    if not asked:
        return True
    if stated is None:
        return False
    ranks = [_rank(each, stated) for each in asked]
    own = _rank(stated, stated)
    if comparison == "better":
        return own is not None and all(each is not None and own > each for each in ranks)
    if stated in asked:
        return True
    if own is None or comparison == "exact":
        return False
    known = [each for each in ranks if each is not None]
    return any(own >= each if comparison == "minimum" else own <= each for each in known)


def _rank(context: str, beside: str) -> int | None:
    """The rank of `context` on the scale of `beside`. None: the two are on no common scale."""
    for scale in _SCALES:
        if beside in scale and context in scale:
            return scale.index(context)
    return None
