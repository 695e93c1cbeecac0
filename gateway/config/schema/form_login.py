"""`form_login:` of policies/apps/*.yaml: sign-in to an application that has only a login form."""

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
# For an application that counts failed sign-ins until a sign-in succeeds.
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
    """An attribute of the person, or subject, provider, issuer: the name of the account. A person without a value, or
    with several, is refused."""
    value: Maybe[Text] = None
    """One account for all people."""
    secret: BySecrets[Maybe[PublicReference]] = None
    """The password, on one line: `{file: path}`, `{env: NAME}` or `{credential: name}`. A team's file may use only
    `{file: ...}`, below its `secrets`."""
    secret_from: ByAttributes[Maybe[AttributeName]] = None
    """The attribute that holds each person's own password for this application. A directory gives it with `secret:
    true`."""

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
    """The page with the form. Omit it if the response to the previous step contains the form."""
    action: Maybe[FormPath] = None
    """The path to which the form is sent. Default: the path of `page`. A form with another `action` is not sent."""
    form: Maybe[Text] = None
    """The `id` or `name` of the form, if several forms have these fields."""
    fields: dict[FieldName, Literal["login", "secret", "page"]] = Field(min_length=1, max_length=50)
    """The fields by name, and the value of each: the `login`, the `secret`, or the value in the `page`, such as a token
    against forgery. The form must have all of these fields."""
    values: dict[FieldName, Text] = Field(default={}, max_length=50)
    """Further fields with fixed values."""

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
    """The status of the response."""
    location: Maybe[ApplicationTarget] = None
    """The target of the redirect (`Location`): a path with any query, or a path with exactly this query."""
    marker: Maybe[Text] = None
    """A text in the first 64 KB of the body, letter by letter."""

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
    """One secret for every account. By default each person's login and secret are those of the account link
    (`account`)."""
    steps: list[FormStepSection] = Field(min_length=1, max_length=5)
    """The forms, in order."""
    signed_in: list[ResponseMarkSection] = Field(min_length=1, max_length=10)
    """How to recognise that the last response signed the person in: any one of these marks."""
    refused: list[ResponseMarkSection] = Field(default=[], max_length=10)
    """How to recognise that the application refused the account: any one of these marks. Default: status 401 or 403,
    the form again, or a redirect to an address of the form."""
    expired: list[ResponseMarkSection] = Field(default=[], max_length=10)
    """How to recognise that the application's session has expired: any one of these marks on the response to a page.
    The gateway then signs the person in again and repeats a GET or HEAD."""
    check: Maybe[ApplicationTarget] = None
    """A page that the application shows only to signed-in people: with status 200 and without the form. The gateway
    requests it after each sign-in, and before another sign-in of the account begins. If the page is not shown, or the
    response has a mark of `expired` or `refused`, the sign-in has failed."""
    cookies: ByHosts[list[CookieName]] = Field(min_length=1, max_length=20)
    """The cookies of the application's own session. The gateway sends them; values from a browser are never used."""
    keep: ByHosts[Literal["gateway", "browser"]] = "gateway"
    """`gateway`: the cookies never reach a browser. `browser`: browsers receive them too, for an application whose
    scripts read them."""
    encoding: Literal["utf8", "latin1"] = "utf8"
    """The charset of the application's pages and forms. `latin1` is windows-1252, as in browsers."""
    tries: int = Field(default=3, ge=1, le=10)
    """How many sign-ins to one account may fail before the gateway stops trying. Choose fewer than the number that
    locks the account. A refused password is not sent again within `within`, and never more than this many times in
    total."""
    within: Annotated[WholeSeconds, AfterValidator(_window)] = 3600
    """How long a failed sign-in counts, and a refused password is not sent again. Use the application's own period, or
    `365d` if the application resets its count only at a successful sign-in."""
    counted_with: Own[Maybe[Name]] = None
    """A name for the accounts. Files whose applications lock the same accounts, for example accounts of one directory,
    have the same name. By default, files that send the secret to the same address count together."""
    counted_apart: list[Literal["case", "accents", "spaces", "domain"]] = Field(default=[], max_length=4)
    """The differences by which the application tells two logins apart. Differences that are not listed are ignored:
    `Hélène`, `helene`, `helene@ville.example` and `VILLE\\helene` count as one account."""
    cleared_by_success: bool = False
    """Whether a successful sign-in resets the application's count of failed sign-ins. If false, failures count for the
    whole time of `within`."""
    by_hand: ByHosts[Literal["refuse", "pass"]] = "refuse"
    """What happens if a browser itself sends a form with the secret to the `action`. `refuse`: the request is refused,
    because the gateway cannot count failures there. `pass`: for an application that has other forms at this path, such
    as one with a single address for everything."""
