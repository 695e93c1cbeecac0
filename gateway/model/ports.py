"""The interfaces between the two lanes, and between the lanes and the processes above. Siblings never import each
other: `app.py` connects them by hand.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from gateway.model.codes.code import Code
from gateway.model.session import Seat
from gateway.model.theme import ByLanguage, Words

ShownAgain = Literal["address", "form", ""]
"""How the page is shown again in another language. "address": by the page's address. "form": by a form that describes
the page, because its address would act a second time. "": not at all, on hosts without pages of ours."""


class Callers(Protocol):
    """Programs that send an access token.

    `app`: the name of the application.
    `owner`: the provider that introspects an opaque token; empty: the token is no opaque token.
    """

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        """The seat for a token that was accepted a moment ago."""

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        """`client`: the address of the client. Raises GatewayError if the token is not accepted, or if the provider
        cannot answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """A ready answer: `headers` are (name, value) in bytes, without Content-Length, which the sender writes."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of one of our pages, and the page's place.

    `language`: the chosen language, or a raw Accept-Language value.
    `app`: the display name of the requested application.
    `account`: the owner of the session; empty: nobody is signed in.
    `again`: the address that shows the page in another language.
    """

    language: str = ""
    app: ByLanguage = field(default_factory=dict)
    account: str = ""
    again: ShownAgain = ""


class ErrorPages(Protocol):
    """Renders what the data plane answers by itself; ready bytes, cheap enough for a flood."""

    def render(
        self,
        code: Code,
        *,
        kind: Literal["html", "json", "frame"],
        reader: Reader,
        reference: str,
        login_url: str = "",
        refusal: Words = "",
        has_others: bool = False,
    ) -> Page:
        """`kind`: "html" page, "json" body, or "frame": the small 401 page whose link opens at the top.
        `reference`: the request id.
        `login_url`: the page's one link. The code decides its text: sign in, change the account, start again, or go
        back.
        `has_others`: the application accepts several sign-in services, so a second link leads to the choice.
        """


class Revoker(Protocol):
    """Puts the end of sessions in force in every worker."""

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        """Returns when every worker has confirmed, or after 1 s: a worker that does not answer reads the
        store's revocation list by itself within that time."""
