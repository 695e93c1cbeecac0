"""The entries of a person's own pages: sessions, applications, and linked accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import quote

from gateway.accounts.request import AccountRequest
from gateway.model.theme import ByLanguage, ShownText, Words

# The result of a sign-out. `ended`: ended here. `everywhere`: the provider confirmed its own sign-out. `asked`: the
# provider was asked and did not confirm. `in_part`: the provider refused. `perhaps`: the provider's answer could not be
# verified. `unwritten`: ended in memory only, because the store did not take the end. Without a session to end:
# `elsewhere` if sessions may be open on other hosts, `nothing` if no session is. `nobody`: no sign-out was requested.
SignedOut = Literal["ended", "everywhere", "asked", "in_part", "perhaps", "unwritten", "elsewhere", "nothing", "nobody"]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session on the page of sessions. Times: Unix seconds.

    `label`, `labels`: of the session's provider.
    `apps`: the applications' names for people.
    `person`: the person's name; empty: unknown.
    `is_here`: the session of the page itself.
    `level`: with `is_here`, the level of the sign-in, a name of the ladder; empty: the provider states none.
    """

    label: str
    labels: Mapping[str, str]
    apps: tuple[ShownText, ...]
    created_at: int
    expires_at: int
    person: str = ""
    is_here: bool = False
    level: str = ""


@dataclass(frozen=True, slots=True)
class HomeLine:
    """A session on the home page. `key`: the session's name in its button."""

    session: SessionLine
    key: str


@dataclass(frozen=True, slots=True)
class OfferedApplication:
    """`asks_more`: the person is let in after a stronger sign-in than theirs."""

    label: ShownText
    url: str
    asks_more: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """One page of a person's applications. `page`: from 1. `more`: a further page exists."""

    applications: tuple[OfferedApplication, ...]
    search: str
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A linked account: the application's name, a host of the application, and the login."""

    app: ShownText
    host: str
    login: str


class OtherAccount(NamedTuple):
    """`link`: signs in with another account.
    `organisation`: the page to choose a sign-in service first; empty: only one service.
    """

    link: str
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class AskedAccess:
    """A request for an account of an application.

    `host`, `to`: the page that the person wanted.
    `owner`: the person's name.
    `found`: the person's present request. `sent`: the previous page has just sent the request.
    `ask`: as AccountSettings.words.
    `text`: as the person wrote it.
    `another`: the link for a person who has another account.
    """

    host: str
    to: str
    owner: str
    found: AccountRequest | None
    sent: bool
    ask: Words
    text: str
    another: OtherAccount

    @property
    def address(self) -> str:
        """Of the page."""
        return f"/_ecluse/account/request?host={quote(self.host, safe='')}&to={quote(self.to, safe='')}"

    @property
    def words(self) -> ByLanguage:
        """The operator's, of a refusal."""
        return self.found.refusal.words if self.found is not None and self.found.refusal is not None else {}
