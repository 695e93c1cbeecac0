"""A provider in one line."""

from collections.abc import Mapping

from gateway.model.provider import AttributeSource, OidcProvider, Perimeter


def provider(
    attributes: Mapping[str, str | tuple[str, ...]], *, tenant: str | None = None, perimeter: Perimeter | None = None
) -> OidcProvider:
    """`attributes`: our name to a claim's name or path."""
    sources = {
        name: AttributeSource((claim,) if isinstance(claim, str) else claim) for name, claim in attributes.items()
    }
    return OidcProvider(
        name="metropole",
        label="Métropole du Nord",
        issuer="https://op.metropole.example",
        client_id="ecluse",
        client_secret="secret",
        client_authentication="client_secret_basic",
        scopes=("openid",),
        algorithms=frozenset({"RS256"}),
        userinfo=True,
        attributes=sources,
        tenant_attribute=tenant,
        perimeter=perimeter or Perimeter(),
        skew=60,
        session_idle=1800,
        session_absolute=43200,
    )
