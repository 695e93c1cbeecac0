"""The messages that we write, not signed yet: the binding signs them.

`id`: an NCName of at least 128 random bits (Core 1.3.4); `now`: Unix seconds; `destination`: the provider's endpoint.
"""

from lxml import etree

from gateway.model.assertion import NameId
from gateway.model.provider import SamlProvider
from gateway.saml.names import (
    BINDING_ARTIFACT,
    BINDING_POST,
    LOGOUT_BY_USER,
    SAML,
    SAMLP,
    STATUS_PARTIAL_LOGOUT,
    STATUS_SUCCESS,
    saml,
    samlp,
)
from gateway.saml.parties import ServiceProvider
from gateway.saml.times import instant

# Profiles 4.4.4.1: a LogoutRequest that waited in a browser for longer than this ends no session.
_VALID_SECONDS = 300
_PREFIXES = {"samlp": SAMLP, "saml": SAML}


def message_id(random: str) -> str:
    """`random`: 256 bits, base64url. Core 1.3.4: an NCName, which does not begin with a digit or a dash."""
    return f"_{random}"


def new_message(name: str, *, id: str, now: float, issuer: str, destination: str) -> etree._Element:
    """The common part of requests and responses (Core 3.2.1, 3.2.2)."""
    message = etree.Element(
        samlp(name),
        {"ID": id, "Version": "2.0", "IssueInstant": instant(now), "Destination": destination},
        nsmap=_PREFIXES,
    )
    add(message, saml("Issuer"), issuer)
    return message


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """Adds a child. Attributes that are None are left out. lxml escapes text, and refuses characters that XML cannot
    hold."""
    child = etree.SubElement(parent, name, {key: value for key, value in attributes.items() if value is not None})
    child.text = text
    return child


def written(message: etree._Element) -> bytes:
    """The message in UTF-8, without an XML declaration, ready to be put into another document."""
    return etree.tostring(message, encoding="UTF-8", xml_declaration=False)


def authn_request(
    sp: ServiceProvider,
    provider: SamlProvider,
    *,
    destination: str,
    id: str,
    now: float,
    force_authn: bool = False,
    is_passive: bool = False,
    authn_context: tuple[str, ...] | None = None,
) -> bytes:
    """Core 3.4.1 and Profiles 4.1.4.1: the request that a browser carries to the identity provider.

    `authn_context`: the classes to request in place of those of the provider file; () requests none, None leaves the
    choice to the file. `force_authn`: set ForceAuthn, which the file may do as well.
    """
    request = new_message("AuthnRequest", id=id, now=now, issuer=sp.entity_id, destination=destination)
    if force_authn or provider.force_authn:
        request.set("ForceAuthn", "true")
    if is_passive:
        request.set("IsPassive", "true")
    # Core 3.4.1: we send URL and binding, not an index. The provider compares both with our metadata.
    by_artifact = provider.response_binding == "artifact"
    request.set("ProtocolBinding", BINDING_ARTIFACT if by_artifact else BINDING_POST)
    request.set("AssertionConsumerServiceURL", sp.artifact_acs if by_artifact else sp.acs)
    # Core 3.4.1.1: without AllowCreate, a provider with persistent names refuses people who come for the first time.
    add(request, samlp("NameIDPolicy"), Format=provider.name_id_format, AllowCreate="true")
    classes = provider.authn_context if authn_context is None else authn_context
    if classes:
        # Core 3.3.2.2.1
        asked = add(request, samlp("RequestedAuthnContext"), Comparison=provider.authn_context_comparison)
        for name in classes:
            add(asked, saml("AuthnContextClassRef"), name)
    return written(request)


def logout_request(
    sp: ServiceProvider, *, destination: str, id: str, now: float, name_id: NameId, session_indexes: tuple[str, ...]
) -> bytes:
    """Core 3.7.1. No `session_indexes`: every session of the person here (Core 3.7.3.2)."""
    request = new_message("LogoutRequest", id=id, now=now, issuer=sp.entity_id, destination=destination)
    request.set("NotOnOrAfter", instant(now + _VALID_SECONDS))
    request.set("Reason", LOGOUT_BY_USER)
    add(
        request,
        saml("NameID"),
        name_id.value,
        Format=name_id.format,
        NameQualifier=name_id.name_qualifier,
        SPNameQualifier=name_id.sp_name_qualifier,
        SPProvidedID=name_id.sp_provided_id,
    )
    for index in session_indexes:
        add(request, samlp("SessionIndex"), index)
    return written(request)


def logout_response(
    sp: ServiceProvider,
    *,
    destination: str,
    id: str,
    now: float,
    in_response_to: str,
    status: str = STATUS_SUCCESS,
    partial: bool = False,
) -> bytes:
    """Core 3.7.2. `partial`: some sessions have not ended. The provider tells the person (Core 3.7.3.2)."""
    response = new_message("LogoutResponse", id=id, now=now, issuer=sp.entity_id, destination=destination)
    response.set("InResponseTo", in_response_to)
    # Core 3.2.2.2: PartialLogout is a second-level code
    code = add(add(response, samlp("Status")), samlp("StatusCode"), Value=status)
    if partial:
        add(code, samlp("StatusCode"), Value=STATUS_PARTIAL_LOGOUT)
    return written(response)
