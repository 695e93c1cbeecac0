"""What signing out means: at the provider, and for one application."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.config.schema_types import Maybe, PathPattern, Strict, Text, checked, wrong
from gateway.wire.return_address import safe_target
from gateway.wire.target import STRICT


class ProviderLogout(Strict):
    method: Literal["auto", "get", "post"] = "auto"
    """How people are sent to the provider to be signed out there, with their ID token: by an address (`get`), which
    brings the provider's cookie along; by a form (`post`), which keeps the token out of addresses, for a provider that
    finds its session by the token alone. `auto`: by an address of up to 4000 characters, else by a form."""
    client_id: bool = False
    """Sent beside the ID token too, for a provider that does not send people back otherwise."""
    front_channel: bool = False
    """Whether the provider may end a session by a frame in its own page. Prefer the back-channel."""
    revoke: bool = True
    """Whether the refresh token of a session that ends here is revoked at a provider that has an endpoint for it."""


def _cookie_name(name: str) -> str:
    if not name.isascii() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise wrong("this is not the name of a cookie")
    return name


def _target(text: str) -> str:
    if safe_target(text, STRICT) != text:
        raise wrong("this is not a path of the application", "write it as /logout.do")
    return text


CookieName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_cookie_name)]
Target = Annotated[str, Field(max_length=2000), AfterValidator(checked(_target))]


class AppLogout(Strict):
    """What happens when people sign out of this application, or their session ends otherwise."""

    scope: Literal["local", "global"] = "local"
    """`local`: out of every application behind the gateway, in this browser. `global`: at the provider as well."""
    cookies: list[CookieName] = Field(default=[], max_length=20)
    """The application's own cookies, which are cleared."""
    cookie_paths: list[Target] = Field(default=["/"], min_length=1, max_length=5)
    """The paths that it sets them for."""
    url: Maybe[Target] = None
    """A path of the application that is called for the person, so that it ends its own session: at every end of one."""
    login: Maybe[Text] = None
    """The header or cookie of translate that this call carries where no browser is there, with the cookies named above
    as last seen and what is the same for everybody; without it, the first one that tells something of the person."""
    links: list[PathPattern] = Field(default=[], max_length=50)
    """The application's own addresses for signing out: whoever follows one signs out here."""
