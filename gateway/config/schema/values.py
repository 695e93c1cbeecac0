"""The operands of matchers: a text or several texts, and tests of a value. Also the types of cookie names and of an
application's paths, which several sections use."""

import re
from collections.abc import Callable
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from gateway.config.schema import scalars
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import AttributeName, Maybe, Strict, Yes, checked, known_method, wrong
from gateway.identity.perimeter import is_siren, is_siret
from gateway.identity.values import is_insee
from gateway.policy.hours import parse_dates, parse_days, parse_hours
from gateway.policy.persons import Mandate, SignedInBy, User
from gateway.policy.request_conditions import Header, Query
from gateway.policy.values import Equals, Matches, Sha256, Suffix, Within, check_text
from gateway.wire.headers import goes_on, may_be_listed
from gateway.wire.target import STRICT, safe_target

_MOST = 10_000


def texts(written: object) -> list[str] | None:
    """A text or a list of texts as a list; None for a value of another type."""
    several = [written] if isinstance(written, str) else written
    return several if isinstance(several, list) and all(isinstance(one, str) for one in several) else None


OneOrMore = str | list[str]


def _one_or_more(check: Callable[[list[str]], object]) -> PlainValidator:
    """A text or a list of texts, unchanged. `check` raises Wrong or GatewayError."""

    def validate(value: object) -> object:
        named = texts(value)
        if named is None:
            raise wrong("this is a text or a list of texts")
        if not named or not all(named):
            raise wrong("this is empty", "name at least one")
        if len(named) > _MOST:
            raise wrong(f"more than {_MOST} entries")
        checked(check)(named)
        return value

    return PlainValidator(validate)


def _like(*examples: str) -> WithJsonSchema:
    text = {"type": "string", "examples": list(examples)}
    return WithJsonSchema({"anyOf": [text, {"type": "array", "items": {"type": "string"}, "minItems": 1}]})


def _each(check: Callable[[str], object]) -> Callable[[list[str]], object]:
    return lambda values: [check(value) for value in values]


def number_hint(text: str, holds: Callable[[str], bool], digits: int) -> str:
    """`text`: a number that `holds` refuses. People write numbers with blanks: 215 903 501 00017."""
    whole = "".join(text.split())
    return f"write {whole}" if holds(whole) else f"{digits} digits, the last of which checks the others"


def _siret(text: str) -> None:
    if not is_siret(text):
        raise Wrong(f"{text} is not a SIRET", number_hint(text, is_siret, 14))


def _siren(text: str) -> None:
    if not is_siren(text):
        raise Wrong(f"{text} is not a SIREN", number_hint(text, is_siren, 9))


def _insee(text: str) -> None:
    if not is_insee(text):
        raise Wrong(f"{text} is not the INSEE code of a commune", "five characters, such as 59350 or 2A004")


def _name(text: str) -> None:
    if not text.strip():
        raise Wrong("this is empty", "name at least one")


Users = Annotated[OneOrMore, _one_or_more(lambda names: User(frozenset(names))), _like("metropole/248289761001")]
Providers = Annotated[OneOrMore, _one_or_more(lambda names: SignedInBy(frozenset(names))), _like("metropole")]
Offices = Annotated[OneOrMore, _one_or_more(lambda names: Mandate(frozenset(names))), _like("maire")]
Networks = Annotated[OneOrMore, _one_or_more(_each(scalars.network)), _like("10.0.0.0/8")]
Methods = Annotated[OneOrMore, _one_or_more(_each(known_method)), _like("GET")]
SignInMethods = Annotated[OneOrMore, _one_or_more(_each(check_text)), _like("otp", "hwk")]
Sirets = Annotated[OneOrMore, _one_or_more(_each(_siret)), _like("21590350100017")]
Sirens = Annotated[OneOrMore, _one_or_more(_each(_siren)), _like("215903501")]
InseeCodes = Annotated[OneOrMore, _one_or_more(_each(_insee)), _like("59350")]
Digests = Annotated[OneOrMore, _one_or_more(lambda digests: Sha256(frozenset(digests))), _like(f"{2**40:064x}")]
ListNames = Annotated[OneOrMore, _one_or_more(_each(_name)), _like("communes-du-nord")]
DayTexts = Annotated[OneOrMore, _one_or_more(_each(parse_days)), _like("mon-fri", "sat")]
HourTexts = Annotated[OneOrMore, _one_or_more(_each(parse_hours)), _like("08:00-19:00")]
DateTexts = Annotated[OneOrMore, _one_or_more(_each(parse_dates)), _like("2026-12-24", "2026-09-01..2026-12-31")]


def _equals(text: str) -> str:
    return Equals(text).value


def _suffix(text: str) -> str:
    return Suffix(text).text


def _within(values: list[str]) -> list[str]:
    Within(frozenset(values))
    return values


def _matches(source: str) -> str:
    return Matches(source).source


class WrittenTest(Strict):
    equals: Maybe[Annotated[str, AfterValidator(checked(_equals))]] = None
    """The whole value."""
    within: Maybe[Annotated[list[str], AfterValidator(checked(_within))]] = Field(default=None, alias="in")
    """One of these values."""
    suffix: Maybe[Annotated[str, AfterValidator(checked(_suffix))]] = None
    """The end of the value, from a separator on: `@metropole.example`."""
    matches: Maybe[Annotated[str, AfterValidator(checked(_matches))]] = None
    """An RE2 expression over the whole value."""
    exists: Maybe[Yes] = None
    """Whether the attribute has any value."""

    @model_validator(mode="after")
    def _one_test(self) -> "WrittenTest":
        tests = {one: getattr(self, one) for one in type(self).model_fields if one != "name"}
        if sum(test is not None for test in tests.values()) != 1:
            *names, last = ("in" if one == "within" else one for one in tests)
            raise wrong("one thing is asked", f"write one of {', '.join(names)} or {last}")
        return self


class SecretTest(WrittenTest):
    sha256: Maybe[Digests] = None
    """The SHA-256 of the whole value (`printf %s VALUE | sha256sum`), for a secret that the file must not contain. List
    several while you replace one."""


class ClaimTest(WrittenTest):
    """A test of an attribute. A single value that passes is enough."""

    name: AttributeName
    """The attribute, by our name for it."""


def sent_header(name: str) -> str:
    Header(name.lower(), Equals("x"))
    if not goes_on(name.encode("ascii")):
        hint = "write network: for where the client is" if "forwarded" in name.lower() else "ask of another header"
        raise Wrong(f"{name} is not a header that reaches an application as the client sent it", hint)
    return name


def _listed_header(name: str) -> str:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,63}", name) is None:
        raise Wrong("this is not the name of a header", "letters, digits, _ and -")
    if goes_on(name.encode("ascii")):
        raise Wrong(f"{name} reaches every application", "leave it out")
    if not may_be_listed(name.encode("ascii")):
        what = "can be read as a header by which a server tells who is calling, or how a message is read"
        raise Wrong(f"{name} {what}", "leave it out")
    return name


ListedHeader = Annotated[str, AfterValidator(checked(_listed_header)), _like("app_token")]


class HeaderTest(SecretTest):
    """A test of one request header. If the header comes twice, the two values have to be equal."""

    name: Annotated[str, AfterValidator(checked(sent_header))]


def _parameter(name: str) -> str:
    return Query(name, Equals("x")).name


class QueryTest(SecretTest):
    """A test of one query parameter. A query that servers read in several ways is unknown."""

    name: Annotated[str, AfterValidator(checked(_parameter))]


class TenantTest(Strict):
    siret: Maybe[Sirets] = None
    siren: Maybe[Sirens] = None
    """The whole legal unit, with all its establishments."""
    insee: Maybe[InseeCodes] = None
    """The organisations that the lists in lists/ give for the INSEE code of a commune."""
    list: Maybe[ListNames] = None
    """All organisations of this list in lists/."""

    @model_validator(mode="after")
    def _one_way(self) -> "TenantTest":
        if sum(way is not None for way in (self.siret, self.siren, self.insee, self.list)) != 1:
            raise wrong("an organisation is named in one way", "write one of siret, siren, insee or list")
        return self


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(f"{name} is not a time zone that this machine knows", "Europe/Paris, Indian/Reunion") from None
    return name


TimeZone = Annotated[str, AfterValidator(checked(_zone))]
"""A name in this machine's tz database."""


class TimeTest(Strict):
    """A time on the clock of one place. Every given limit has to hold."""

    zone: TimeZone
    """The time zone: `Europe/Paris`."""
    days: Maybe[DayTexts] = None
    """`mon`, `mon-fri`."""
    hours: Maybe[HourTexts] = None
    """`08:00-19:00`: the end is excluded."""
    dates: Maybe[DateTexts] = None
    """`2026-12-24`, `2026-09-01..2026-12-31`: both ends are included."""

    @model_validator(mode="after")
    def _says_something(self) -> "TimeTest":
        if (self.days, self.hours, self.dates) == (None, None, None):
            raise wrong("a time needs days, hours or dates")
        return self


def cookie_name(name: str) -> str:
    if not name.isascii() or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise wrong("this is not the name of a cookie")
    return name


def _target(text: str) -> str:
    if safe_target(text, STRICT) != text:
        raise wrong(
            "this is not a path of the application",
            "write it as /some/page: it begins with `/`, and is not below /_ecluse/",
        )
    return text


CookieName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(cookie_name)]


def _path_prefix(text: str) -> str:
    if not scalars.is_path_prefix(text) or text.lower().startswith("/_ecluse"):
        raise Wrong("a path is `/` and a name, perhaps several, of letters, digits, `-`, `_` and `.`", "write /wiki")
    return text


PathPrefix = Annotated[str, Field(max_length=200), AfterValidator(checked(_path_prefix))]
ApplicationTarget = Annotated[str, Field(max_length=2000), AfterValidator(checked(_target))]
