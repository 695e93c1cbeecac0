"""Our addresses at the portal that the administrator of an OpenID provider registers."""

from dataclasses import dataclass
from typing import Final

CALLBACK: Final = "/_ecluse/callback/"
LOGGED_OUT: Final = "/_ecluse/logged-out"
BACK_CHANNEL: Final = "/_ecluse/oidc/backchannel/"
FRONT_CHANNEL: Final = "/_ecluse/oidc/frontchannel/"
JWKS: Final = "/_ecluse/oidc/jwks"


@dataclass(frozen=True, slots=True)
class Registration:
    """`jwks_uri`: the public halves of our keys, for a provider where the gateway signs or decrypts."""

    redirect_uri: str
    post_logout_redirect_uri: str
    back_channel_logout_uri: str
    front_channel_logout_uri: str
    jwks_uri: str


def registration(portal: str, provider: str) -> Registration:
    """`portal`: the portal's URL, without a path. `provider`: the name of the provider."""
    return Registration(
        f"{portal}{CALLBACK}{provider}",
        f"{portal}{LOGGED_OUT}",
        f"{portal}{BACK_CHANNEL}{provider}",
        f"{portal}{FRONT_CHANNEL}{provider}",
        f"{portal}{JWKS}",
    )
