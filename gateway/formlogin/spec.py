"""What an application's file says of its login form, as it is served, and the session that comes of it."""

from dataclasses import dataclass, field
from typing import Literal

from gateway.model.account import CountedLogin, ToldApart, counted_login

Holds = Literal["login", "secret", "page", "text"]
Charset = Literal["utf-8", "cp1252"]
KeptBy = Literal["gateway", "browser"]
ByHand = Literal["refuse", "pass"]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form, by its name. `holds`: the account, its secret, what the page has in it (a token against
    forgery), or `text`."""

    name: str
    holds: Holds
    text: str = ""


@dataclass(frozen=True, slots=True)
class FormStep:
    """`page`: the target that has the form, None where the answer to the step before has it. `action`: the path that
    the form is sent to. `form`: its id or name, empty for the one that has the fields."""

    page: str | None
    action: str
    fields: tuple[FormField, ...]
    form: str = ""


@dataclass(frozen=True, slots=True)
class ResponseMark:
    """By what an answer is known: all that is said has to be so. `location`: where it leads, a path, or a whole target
    where it has a query. `marker`: a text in its body."""

    status: int | None = None
    location: str = ""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class TrustedAccount:
    """One secret that the application trusts for all accounts, or each person's own. `attribute`: of the person, or
    subject, provider, issuer, which is the account's name; None where `text` is that of everybody. `secret_attribute`:
    of the person, which is the secret; None where `secret` is that of all."""

    attribute: str | None = None
    text: str = ""
    secret: str = field(default="", repr=False)
    secret_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class FormLogin:
    """`signed_in`, `refused`, `expired`: one of the marks is enough. `check`: the target of a page for signed-in people
    alone, None where there is none to look at. `cookies`: the names of the application's session;
    `keep`: "browser" where browsers are given them too.
    `tries`: how many sign-ins of one account may fail `within` so many seconds. `base`: whose accounts are counted; two
    of them differ by what is `counted_apart`. `cleared_by_success`: a success ends the count of its own login, as the
    application's does.
    `by_hand`: what becomes of a form that somebody sends there themselves. `line`: of the file, where all this is.
    `fingerprint`: of all of this and of where the application is: a session of another one is not sent."""

    steps: tuple[FormStep, ...]
    signed_in: tuple[ResponseMark, ...]
    cookies: tuple[str, ...]
    fingerprint: str
    refused: tuple[ResponseMark, ...] = ()
    expired: tuple[ResponseMark, ...] = ()
    check: str | None = None
    keep: KeptBy = "gateway"
    tries: int = 3
    within: int = 3600
    base: str = ""
    counted_apart: frozenset[ToldApart] = frozenset()
    cleared_by_success: bool = False
    by_hand: ByHand = "refuse"
    line: int = 0
    charset: Charset = "utf-8"
    trusted: TrustedAccount | None = None

    @property
    def has_expiry_marker(self) -> bool:
        """Whether bodies are searched."""
        return any(mark.marker for mark in self.expired)

    @property
    def not_brought(self) -> tuple[str, ...]:
        """Names of cookies of which an application has none as a browser brings it: those of its session, and those of
        fields with a secret, which PHP may read from a cookie ($_REQUEST) as from a form sent by hand."""
        secrets = (field.name for step in self.steps for field in step.fields if field.holds == "secret")
        return self.cookies if self.by_hand == "pass" else (*self.cookies, *secrets)

    def counted(self, login: str) -> CountedLogin:
        return CountedLogin(self.base, counted_login(login, self.counted_apart), login)


@dataclass(frozen=True, slots=True)
class ApplicationSession:
    """A person's session at an application: `cookies` as they are sent, b"a=b; c=d". `login`: the account. `begun`:
    when this worker began it (monotonic seconds), None where it did not. The store keeps it without."""

    fingerprint: str
    login: str
    cookies: bytes = field(repr=False)
    begun: float | None = field(default=None, repr=False, compare=False)
