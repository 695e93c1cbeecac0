"""Core 3.7: the two logout messages that we write. `logout` validates those that we receive."""

from gateway.model.assertion import NameId
from gateway.saml.message import add, new_message, written
from gateway.saml.names import LOGOUT_BY_USER, STATUS_PARTIAL_LOGOUT, STATUS_SUCCESS, saml, samlp
from gateway.saml.parties import ServiceProvider
from gateway.saml.times import instant

# Profiles 4.4.4.1: a request that waited in a browser for longer than this ends no session.
_VALID_SECONDS = 300


def logout_request(
    sp: ServiceProvider, *, destination: str, id: str, now: float, name_id: NameId, session_indexes: tuple[str, ...]
) -> bytes:
    """A LogoutRequest, not signed yet: the binding signs it.

    No `session_indexes` means every session of that person here (Core 3.7.3.2). `now`: Unix seconds.
    """
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
    """A LogoutResponse, not signed yet: the binding signs it.

    `partial`: not all sessions have ended, and the provider tells the person so (Core 3.7.3.2). `now`: Unix seconds.
    """
    response = new_message("LogoutResponse", id=id, now=now, issuer=sp.entity_id, destination=destination)
    response.set("InResponseTo", in_response_to)
    # Core 3.2.2.2: PartialLogout is a second-level code
    code = add(add(response, samlp("Status")), samlp("StatusCode"), Value=status)
    if partial:
        add(code, samlp("StatusCode"), Value=STATUS_PARTIAL_LOGOUT)
    return written(response)
