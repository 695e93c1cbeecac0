"""Core 3.4.1 and Profiles 4.1.4.1: the request that a browser carries to the identity provider."""

from gateway.model.provider import SamlProvider
from gateway.saml.message import add, new_message, written
from gateway.saml.names import BINDING_ARTIFACT, BINDING_POST, saml, samlp
from gateway.saml.parties import ServiceProvider


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
    """An AuthnRequest, not signed yet: the binding signs it. `destination`: the provider's endpoint.

    `authn_context`: the classes to request in place of those of the provider file; () requests none, None leaves the
    choice to the file. `force_authn`: set ForceAuthn, which the file may do as well. `now`: Unix seconds.
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
