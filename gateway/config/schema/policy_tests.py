"""Requests that the policy folder is tried with: the people of tests/*.yaml and of `ecluse explain --as`."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from gateway.config.schema.conditions import TAG
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import AttributeName, Maybe, Name, Strict, Text, Version, WholeSeconds, Word, checked
from gateway.config.schema.values import TimeZone
from gateway.wire.addresses import parse_address

NOBODY = "nobody"
"""Stands for a person's name when nobody is signed in."""


def _texts(value: object) -> tuple[str, ...]:
    """A text, or a list of texts."""
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise Wrong("this is a text, or a list of texts", "put a number or a word such as true in quotes")
    return tuple(texts)


_TEXT = {"type": "string", "minLength": 1}
Texts = Annotated[
    tuple[str, ...],
    PlainValidator(checked(_texts)),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
]


def client_address(text: str) -> str:
    if parse_address(text) is None:
        raise Wrong("this is not an IP address")
    return text


def moment(text: str) -> str:
    found: datetime | None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Wrong("this is not a time with its zone", "write it as 2026-11-24T09:30:00+01:00")
    return text


class ToldMandate(Strict):
    """A mandate in the form of a directory."""

    office: Text
    """The office, such as maire."""
    siren: Maybe[Text] = None
    """The organisation's SIREN. Write `siren`, `siret` or `insee`."""
    siret: Maybe[Text] = None
    """The organisation's SIRET."""
    insee: Maybe[Text] = None
    """The INSEE code of the organisation, a commune."""
    start: Text
    """The first day: 2026-03-29."""
    end: Maybe[Text] = None
    """The last day. Default: no end."""
    zone: Maybe[TimeZone] = None
    """The time zone of the organisation. Default: the time zone from the directory's file or of the commune."""


ToldByDirectory = Annotated[
    Annotated[Texts, Tag(TAG + "texts")] | Annotated[list[ToldMandate], Tag(TAG + "mandates")],
    Discriminator(lambda value: TAG + ("mandates" if _has_mappings(value) else "texts")),
]


def _has_mappings(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict | ToldMandate) for one in value)


class Person(Strict):
    """A person in the form of a provider's message."""

    provider: Name
    """The provider with which the person signed in."""
    subject: Text = "somebody"
    """The provider's identifier of the person."""
    attributes: dict[AttributeName, Texts] = Field(default={}, max_length=200)
    """The person's attributes, by our names: a text, or a list."""
    left_out: list[AttributeName] = Field(default=[], max_length=200)
    """Attributes that the provider reports as not sent: conditions on them are unknown."""
    acr: Maybe[Word] = None
    """The level of the sign-in."""
    amr: list[Word] = Field(default=[], max_length=20)
    """The methods of authentication."""
    account: Maybe[Text] = None
    """The person's login at an application whose file has `account:`. Default: no login."""
    directories: dict[Name, dict[AttributeName, ToldByDirectory]] = Field(default={}, max_length=100)
    """By directory, the person's attributes: `{communes: {uai: 0590001A}}`, and `{communes: {}}` if the directory has
    no row for the person. Mandates are a list: `{elus: {mandates: [{office: maire, insee: "59350", start:
    2026-03-29}]}}`. A directory that is not listed here counts as unreachable; `ecluse explain` queries it."""
    tenant: Maybe[Text] = None
    """The SIRET of the organisation for which the person chose to act, among those from the provider and the
    directories. Default: the only one."""
    authenticated: Maybe[WholeSeconds] = None
    """How long ago the person authenticated. Default: just now."""


def _person_name(name: str) -> str:
    if name == NOBODY:
        raise Wrong(f"{NOBODY} is who is not signed in", "give this person another name")
    return name


class PolicyTest(Strict):
    """Requests by people, with the expected result of each request."""

    name: Maybe[Text] = None
    """What the test proves."""
    request: Texts
    """`GET https://permis.example.org/admin/`, or a list."""
    by: Texts = Field(default=(NOBODY,), alias="as")
    """The name of one of the people, or a list. Default: `nobody`, a person who is not signed in."""
    client: Maybe[Annotated[str, AfterValidator(checked(client_address))]] = None
    """The client's address. Without it, conditions on the network are unknown."""
    sent: dict[str, str] = Field(default={}, max_length=100)
    """The headers that the client sends."""
    at: Maybe[Annotated[str, AfterValidator(checked(moment))]] = None
    """The time of the request: `2026-11-24T09:30:00+01:00`. Default: the time at which the test runs."""
    decision: Literal["allow", "deny", "challenge", "refuse", "own", "logout"]
    """`challenge`: the person is asked to sign in. `refuse`: the request is refused before the rules. `own`: a page of
    the gateway itself."""
    reason: Maybe[Word] = None
    """The code of the decision, such as `policy.denied`."""
    rule: Maybe[Text] = None
    """The path pattern of the rule that decides."""
    shadow: Maybe[Literal["allow", "deny", "challenge"]] = None
    """The decision of every shadow rule or file of the application, beside the live decision."""
    headers: Maybe[dict[str, str]] = None
    """Exactly the headers about the person that the application receives."""
    cookies: Maybe[dict[str, str]] = None


class PolicyTestsFile(Strict):
    """policies/tests/*.yaml: requests and their expected results. A folder with a failed test is not loaded."""

    version: Version
    people: dict[Annotated[Name, AfterValidator(checked(_person_name))], Person] = Field(default={}, max_length=10_000)
    """The people by name. The tests of every file can use them."""
    tests: list[PolicyTest] = Field(default=[], max_length=100_000)
