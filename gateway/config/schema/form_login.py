"""`form_login:` of policies/apps/*.yaml: an application that has nothing but a login form."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.fence import ByAttributes, ByHosts, BySecrets, Own
from gateway.config.schema.types import (
    AttributeName,
    Maybe,
    Name,
    PublicReference,
    Strict,
    Text,
    WholeSeconds,
    wrong,
)
from gateway.config.schema.values import ApplicationTarget, CookieName

SHORTEST_WINDOW = 60
# For an application that forgets no failed sign-in until one succeeds.
LONGEST_WINDOW = 365 * 86400


def _path(text: str) -> str:
    if "?" in text:
        raise wrong("a query is not written here", "write the path alone: what the form adds to it is sent along")
    return text


def _field_name(text: str) -> str:
    if not text.isprintable():
        raise wrong("this is not the name of a field")
    return text


def _window(seconds: int) -> int:
    if not SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
        raise wrong("tries are counted from 1m to 365d", "write within: 1h")
    return seconds


FormPath = Annotated[ApplicationTarget, AfterValidator(_path)]
FieldName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_field_name)]


class TrustedAccountSection(Strict):
    """One secret that the application accepts for every account: a person with the secret can use any account. Or each
    person's own secret, from a directory."""

    source: ByAttributes[Maybe[AttributeName]] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer: the name of their account. A person without one, or
    with several, is refused."""
    value: Maybe[Text] = None
    """Or one account for everybody."""
    secret: BySecrets[Maybe[PublicReference]] = None
    """Where its password stands: one line, `{file: path}`, `{env: NAME}` or `{credential: name}`, of which a team's
    file may write `{file: ...}` alone, below its `secrets`."""
    secret_from: ByAttributes[Maybe[AttributeName]] = None
    """Or each person's own password at this application: what a directory gives under this name with
    `secret: true`."""

    @model_validator(mode="after")
    def _one_source(self) -> "TrustedAccountSection":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute, ...} or {value: text, ...}")
        if [self.secret, self.secret_from].count(None) != 1:
            raise wrong("the secret comes from one place", "write secret: {file: path} or secret_from: NAME")
        if self.secret_from is not None and self.source is None:
            raise wrong("one account has one secret", "write secret: {file: path}, or from: attribute")
        return self


class FormStepSection(Strict):
    page: Maybe[ApplicationTarget] = None
    """The page that has the form. Left out where the answer to the step before has it."""
    action: Maybe[FormPath] = None
    """The path that the form is sent to; that of `page` where this is left out. A form that leads elsewhere is not
    sent."""
    form: Maybe[Text] = None
    """The `id` or `name` of the form, where several have the fields."""
    fields: dict[FieldName, Literal["login", "secret", "page"]] = Field(min_length=1, max_length=50)
    """The fields by name, and what is sent in each: the `login`, the `secret`, or what the `page` has in it, such as a
    token against forgery. The form has to have all of them."""
    values: dict[FieldName, Text] = Field(default={}, max_length=50)
    """Further fields, with what is sent in each."""

    @model_validator(mode="after")
    def _whole(self) -> "FormStepSection":
        if self.page is None and self.action is None:
            raise wrong("it is not said where the form is sent to", "write action: /login.php")
        if twice := self.fields.keys() & self.values.keys():
            raise wrong(f"{min(twice)} stands in fields and in values", "leave it in one of them")
        return self

    @property
    def sent_to(self) -> str:
        return self.action or (self.page or "").partition("?")[0]


class ResponseMarkSection(Strict):
    """How to recognise a response of the application. Every given mark has to match."""

    status: Maybe[int] = Field(default=None, ge=200, le=599)
    """The status of the answer."""
    location: Maybe[ApplicationTarget] = None
    """Where it leads (`Location`): a path, with whatever query, or a path with this query."""
    marker: Maybe[Text] = None
    """A text that stands in the first 64 KB of its body, letter by letter."""

    @model_validator(mode="after")
    def _says_something(self) -> "ResponseMarkSection":
        if self.status is None and self.location is None and self.marker is None:
            raise wrong("nothing is written here", "write status, location or marker")
        if self.location is not None and self.status is not None and not 301 <= self.status <= 308:
            raise wrong(f"an answer with status {self.status} leads nowhere", "leave status out, or location")
        if self.status is not None and self.status < 300 and self.marker is None:
            raise wrong("every page of the application has this status", "write marker too, or another status")
        return self


class FormLoginSection(Strict):
    """The gateway signs the person in at the application's form at first need, and keeps the application's cookies
    sealed with the person's session."""

    trusted: Maybe[TrustedAccountSection] = None
    """One secret for every account. Where this is left out, each person's login and secret are those of their account
    link (`account`)."""
    steps: list[FormStepSection] = Field(min_length=1, max_length=5)
    """The forms, one after the other."""
    signed_in: list[ResponseMarkSection] = Field(min_length=1, max_length=10)
    """What the last answer is when the person is signed in: one of these."""
    refused: list[ResponseMarkSection] = Field(default=[], max_length=10)
    """What an answer is when the application refuses the account: one of these. Where this is left out: status 401 or
    403, the form once more, or an address of the form."""
    expired: list[ResponseMarkSection] = Field(default=[], max_length=10)
    """What the answer to a page is when the application's session has ended: one of these. Then the person is signed in
    again, and what was asked for by GET or HEAD is asked for once more."""
    check: Maybe[ApplicationTarget] = None
    """A page that the application shows to who is signed in, and to nobody else: with status 200, and without its form.
    It is asked for after each sign-in, and before another one of the account begins. Where it is not shown, or is what
    `expired` or `refused` say, the sign-in has failed."""
    cookies: ByHosts[list[CookieName]] = Field(min_length=1, max_length=20)
    """The application's own cookies that are its session. They are sent by the gateway, never as a browser has them."""
    keep: ByHosts[Literal["gateway", "browser"]] = "gateway"
    """`gateway`: they never reach a browser. `browser`: browsers are given them too, for an application whose pages
    need them there."""
    encoding: Literal["utf8", "latin1"] = "utf8"
    """The charset of its pages and forms. `latin1` is windows-1252, as browsers read it."""
    tries: int = Field(default=3, ge=1, le=10)
    """How many sign-ins of one account may fail before the application is left alone: fewer than it takes to lock the
    account. A password that it refused is not sent again for as long as `within` says, nor more often than this in
    all."""
    within: Annotated[WholeSeconds, AfterValidator(_window)] = 3600
    """For so long a failed sign-in counts, and a refused password is not sent: as long as the application counts,
    `365d` where it forgets none until one succeeds."""
    counted_with: Own[Maybe[Name]] = None
    """A name for the accounts, the same in all files whose applications lock the same ones, as those of one directory.
    Where this is left out, files that send the secret to one address count together."""
    counted_apart: list[Literal["case", "accents", "spaces", "domain"]] = Field(default=[], max_length=4)
    """What two logins may differ by that are two accounts there. What is left out is not looked at: `Hélène`,
    `helene`, `helene@ville.example` and `VILLE\\helene` are counted as one account."""
    cleared_by_success: bool = False
    """Whether the application forgets the failed sign-ins of an account as soon as one succeeds. Where it is false,
    they count for as long as `within` says, whatever comes after them."""
    by_hand: ByHosts[Literal["refuse", "pass"]] = "refuse"
    """What becomes of a form that a browser sends to the `action` with the secret: it is refused, for what fails there
    is not counted. `pass` where the application takes other forms at this path, as all those do that have one address
    for everything."""
