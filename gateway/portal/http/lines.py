"""What stands on a person's own pages: their sessions, their applications, the accounts that they have linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import quote

from gateway.accounts.request import AccountRequest
from gateway.model.theme import ByLanguage, ShownText, Words

# `ended`: here; `everywhere`: at the provider too, as it says itself; `asked`: it was asked to, and does not say
# whether it did; `in_part`: it says that it did not; `perhaps`: what it says could not be verified. `unwritten`: here,
# in memory alone, for the store could not take it. Nothing was found to end: `elsewhere`, sessions may be left on other
# hosts; `nothing`, none are. `nobody`: nothing was asked to end.
SignedOut = Literal["ended", "everywhere", "asked", "in_part", "perhaps", "unwritten", "elsewhere", "nothing", "nobody"]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as its own page shows it. `label`, `labels`: of its provider. `apps`: what people call them. Times:
    Unix seconds. `person`: whose it is, in words; empty where that is not known. `is_here`: the page itself is shown by
    it; then `level` is how strongly the person signed in, a name of the ladder, empty where the provider does not
    say."""

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
    """A session on the home page. `key`: by which its button names it."""

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
    """One page of a person's applications. `page`: from 1; `more`: one follows."""

    applications: tuple[OfferedApplication, ...]
    search: str
    page: int
    more: bool


@dataclass(frozen=True, slots=True)
class AccountLine:
    """A link of the person's: what they call the application, one host of it, and their login."""

    app: ShownText
    host: str
    login: str


class OtherAccount(NamedTuple):
    """`link`: where a person signs in as somebody else. `organisation`: where they choose among sign-in services first;
    empty where there is one alone."""

    link: str
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class AskedAccess:
    """An account that a person asks for. `host`, `to`: where they wanted to go. `owner`: names the person. `found`:
    their request, `sent` by the page before this one. `ask`: as AccountSettings.words. `text`: as they wrote it.
    `another`: for who has another account."""

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
