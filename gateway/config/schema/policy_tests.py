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
"""Stands instead of a person's name where nobody is signed in."""


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
    """Such as maire."""
    siren: Maybe[Text] = None
    """The organisation, by its SIREN. Write this one, `siret` or `insee`."""
    siret: Maybe[Text] = None
    """The organisation, by its SIRET."""
    insee: Maybe[Text] = None
    """The organisation, a commune, by its INSEE code."""
    start: Text
    """The first day: 2026-03-29."""
    end: Maybe[Text] = None
    """The last day; it goes on where this is left out."""
    zone: Maybe[TimeZone] = None
    """The time zone of the organisation; that of the directory's file, or of the commune, where this is left out."""


ToldByDirectory = Annotated[
    Annotated[Texts, Tag(TAG + "texts")] | Annotated[list[ToldMandate], Tag(TAG + "mandates")],
    Discriminator(lambda value: TAG + ("mandates" if _has_mappings(value) else "texts")),
]


def _has_mappings(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict | ToldMandate) for one in value)


class Person(Strict):
    """A person in the form of a provider's message."""

    provider: Name
    """The provider that they signed in with."""
    subject: Text = "somebody"
    """How the provider names them."""
    attributes: dict[AttributeName, Texts] = Field(default={}, max_length=200)
    """By our own names for them: a text, or a list."""
    left_out: list[AttributeName] = Field(default=[], max_length=200)
    """Attributes that the provider says it did not send: conditions on them are unknown."""
    acr: Maybe[Word] = None
    """The level of the sign-in."""
    amr: list[Word] = Field(default=[], max_length=20)
    """How they proved who they are."""
    account: Maybe[Text] = None
    """Their login at an application whose file has `account:`; without it they have none there."""
    directories: dict[Name, dict[AttributeName, ToldByDirectory]] = Field(default={}, max_length=100)
    """By directory, what it says of them: `{communes: {uai: 0590001A}}`, and `{communes: {}}` where it has no row of
    them; of mandates a list: `{elus: {mandates: [{office: maire, insee: "59350", start: 2026-03-29}]}}`. One that is
    not named here could not say anything; `ecluse explain` asks it."""
    tenant: Maybe[Text] = None
    """The organisation that they have chosen to act for, by its SIRET, among those that their provider and directories
    name; the one that is named where this is left out."""
    authenticated: Maybe[WholeSeconds] = None
    """How long ago they proved who they are; just now where it is left out."""


def _person_name(name: str) -> str:
    if name == NOBODY:
        raise Wrong(f"{NOBODY} is who is not signed in", "give this person another name")
    return name


class PolicyTest(Strict):
    """Requests by people, with the expected result of each request."""

    name: Maybe[Text] = None
    """What the test proves, in words."""
    request: Texts
    """`GET https://permis.example.org/admin/`, or a list."""
    by: Texts = Field(default=(NOBODY,), alias="as")
    """The name of one of the people, or a list; `nobody` is signed in where it is left out."""
    client: Maybe[Annotated[str, AfterValidator(checked(client_address))]] = None
    """The client's address; conditions on it are unknown where it is left out."""
    sent: dict[str, str] = Field(default={}, max_length=100)
    """Headers that the client sends."""
    at: Maybe[Annotated[str, AfterValidator(checked(moment))]] = None
    """When: `2026-11-24T09:30:00+01:00`; the time of the test where it is left out."""
    decision: Literal["allow", "deny", "challenge", "refuse", "own", "logout"]
    """`challenge`: asked to sign in. `refuse`: before any rule is asked. `own`: a page of the gateway itself."""
    reason: Maybe[Word] = None
    """The code of the decision: `policy.denied`."""
    rule: Maybe[Text] = None
    """The path pattern of the rule that decides."""
    shadow: Maybe[Literal["allow", "deny", "challenge"]] = None
    """What every shadow rule or file of the application would have answered, beside the decision."""
    headers: Maybe[dict[str, str]] = None
    """All headers that the application is sent about the person, no more and no fewer."""
    cookies: Maybe[dict[str, str]] = None


class PolicyTestsFile(Strict):
    """policies/tests/*.yaml: requests and their expected results. A folder with a failed test is not loaded."""

    version: Version
    people: dict[Annotated[Name, AfterValidator(checked(_person_name))], Person] = Field(default={}, max_length=10_000)
    """By a name for the tests; the tests of every file know them all."""
    tests: list[PolicyTest] = Field(default=[], max_length=100_000)
