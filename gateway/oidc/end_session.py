"""OpenID Connect RP-Initiated Logout 1.0: we send the person to the provider, to be signed out there too."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from gateway.model.provider import OidcProvider
from gateway.oidc.discovery import ProviderMetadata

# Characters. Common servers accept request lines of 8 KB, some front ends half of that.
LONGEST_ADDRESS = 4000


@dataclass(frozen=True, slots=True)
class EndSession:
    """What the browser carries to the provider. `fields` hold the ID token."""

    url: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def as_address(self) -> str:
        separator = "&" if "?" in self.url else "?"
        return f"{self.url}{separator}{urlencode(self.fields)}"

    def goes_by_address(self, provider: OidcProvider) -> bool:
        """Whether the browser goes there by a GET. A form on our page would be a cross-site POST, without the cookies
        of the provider that are SameSite=Lax: it would find no session to end, and still send the person back."""
        method = provider.logout.method
        return method == "get" or (method == "auto" and len(self.as_address) <= LONGEST_ADDRESS)


def end_session_request(
    provider: OidcProvider, metadata: ProviderMetadata, id_token: str | None, state: str, back: str
) -> EndSession | None:
    """None: the provider has no end_session_endpoint. `back`: the registered post_logout_redirect_uri."""
    if metadata.end_session_endpoint is None:
        return None
    # 2: id_token_hint is RECOMMENDED; without it, client_id names us. Nothing else is sent.
    client = ("client_id", provider.client_id)
    beside = (client,) if provider.logout.client_id else ()
    whose = (client,) if id_token is None else (("id_token_hint", id_token), *beside)
    return EndSession(metadata.end_session_endpoint, (*whose, ("post_logout_redirect_uri", back), ("state", state)))
