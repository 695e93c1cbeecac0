"""The login form of an application's file, as served, and the session after a sign-in."""

from dataclasses import dataclass, field
from typing import Literal

from gateway.model.account import CountedLogin, ToldApart, counted_login
from gateway.model.codec import NOT_CARRIED

Holds = Literal["login", "secret", "page", "text"]
Charset = Literal["utf-8", "cp1252"]
KeptBy = Literal["gateway", "browser"]
ByHand = Literal["refuse", "pass"]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form, by its name.

    `holds`: the content: the account, its secret, the page's own value (a token against forgery), or `text`.
    """

    name: str
    holds: Holds
    text: str = ""


@dataclass(frozen=True, slots=True)
class FormStep:
    """`page`: the target with the form; None: the answer of the previous step has the form.
    `action`: the path to which the form is sent.
    `form`: the form's id or name; empty: the form that has the fields.
    """

    page: str | None
    action: str
    fields: tuple[FormField, ...]
    form: str = ""


@dataclass(frozen=True, slots=True)
class ResponseMark:
    """The mark of an answer: every given part must match.

    `location`: the redirect's path, or a whole target if it has a query.
    `marker`: a text in the body.
    """

    status: int | None = None
    location: str = ""
    marker: str = ""


@dataclass(frozen=True, slots=True)
class TrustedAccount:
    """A secret that the application trusts for every account, or a secret per person.

    `attribute`: the person's attribute, or subject, provider or issuer, with the account's name; None: every person
    has the account `text`.
    `secret_attribute`: the person's attribute with the secret; None: `secret` serves for every person.
    """

    attribute: str | None = None
    text: str = ""
    secret: str = field(default="", repr=False)
    secret_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class FormLogin:
    """The settings of `form_login`.

    `signed_in`, `refused`, `expired`: marks. A single mark that fits is enough.
    `check`: the target of a page for signed-in people only; None: no such page.
    `cookies`: the names of the application's session cookies.
    `keep`: "browser": browsers receive the session cookies too.
    `tries`: the sign-ins of an account that may fail within `within` seconds.
    `base`: the owner of the counted accounts.
    `counted_apart`: characters in which two accounts may differ.
    `cleared_by_success`: a success resets the count of its own login, as in the application.
    `by_hand`: the treatment of a login form that a person sends directly.
    `line`: the line of the file, for messages.
    `fingerprint`: the hash of the settings and of the application's address. The cookies of a session with another
    fingerprint are not sent.
    """

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
        """Names of cookies that the application does not receive from a browser: its session cookies, and the names of
        fields with a secret, which PHP may read from a cookie ($_REQUEST) like a field of a form.
        """
        secrets = (field.name for step in self.steps for field in step.fields if field.holds == "secret")
        return self.cookies if self.by_hand == "pass" else (*self.cookies, *secrets)

    def counted(self, login: str) -> CountedLogin:
        return CountedLogin(self.base, counted_login(login, self.counted_apart), login)


@dataclass(frozen=True, slots=True)
class ApplicationSession:
    """A person's session at an application.

    `cookies`: as sent, b"a=b; c=d".
    `login`: the account.
    `begun`: monotonic seconds, if the present worker began the session; else None. Not kept in the store.
    """

    fingerprint: str
    login: str
    cookies: bytes = field(repr=False)
    begun: float | None = field(default=None, repr=False, compare=False, metadata=NOT_CARRIED)
