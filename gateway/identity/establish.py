"""The one way from a mapped identity to a person that a session, a renewed session or a program's seat is made for."""

from gateway.identity.mapping import tenant_of
from gateway.identity.perimeter import check
from gateway.model.identity import Established, Identity
from gateway.model.provider import Provider


def establish(provider: Provider, identity: Identity, *, tenant_optional: bool = False) -> Established:
    """`tenant_optional`: a program may act for no organisation; a person acts for one wherever the file names it.

    Raises GatewayError: LOGIN_OUTSIDE_PERIMETER (invariant 5), then LOGIN_MAPPING for a tenant that is not one value.
    The detail names attributes, never values.
    """
    check(provider, identity)
    if tenant_optional and not identity.attributes.get(provider.tenant_attribute or ""):
        return Established(identity, None)
    return Established(identity, tenant_of(provider, identity))
