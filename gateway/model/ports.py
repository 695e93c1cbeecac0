"""What the two lanes need of each other and of the processes above, so that siblings never import each other.

`app.py` joins them by hand."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from gateway.model.codes.code import Code
from gateway.model.session import Seat
from gateway.model.theme import ByLanguage, Words

ShownAgain = Literal["address", "form", ""]
"""By its address, which may be asked for once more; by a form that says what the page is, where asking again would do
something else; or not at all, on hosts that have no pages of ours."""


class Callers(Protocol):
    """Programs that bring an access token. `app`: its name. `owner`: the provider to which a token that is no JWT is
    shown, empty for none."""

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        """Of a token that was accepted a moment ago."""

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        """`client`: the address that the request came from. Raises GatewayError: the token is not accepted, or its
        provider cannot say."""


@dataclass(frozen=True, slots=True)
class Page:
    """A ready answer: `headers` are (name, value) in bytes, without Content-Length, which the sender writes."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reader:
    """The person who reads a page of ours, and where they are. `language`: what they have chosen, or a raw
    Accept-Language value. `app`: what the application is called that was asked for. `account`: whose session it is,
    empty where nobody is signed in.

    `again`: how the page is shown once more in another language."""

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

        `reference`: the request id. `login_url`: of the page's one
        link, whose text goes by the code: to sign in, to be somebody else, to start again, or back. `has_others`: the
        application takes several sign-in services; beside the link to be somebody else stands one to choose among them.
        """


class Revoker(Protocol):
    """Puts the end of sessions in force in every worker."""

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        """Returns when every worker has confirmed, or after 1 s: a worker that does not answer reads the
        store's revocation list by itself within that time."""
