"""Written conditions: a word, or a mapping with one key. Also the files of conditions and lists that applications
share."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from gateway.config.problems import Path
from gateway.config.schema.fence import ByProviders, Own
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import LevelName, Maybe, Name, Strict, Version, WholeSeconds, checked
from gateway.config.schema.values import (
    ClaimTest,
    HeaderTest,
    Methods,
    Networks,
    Offices,
    Providers,
    QueryTest,
    SignInMethods,
    TenantTest,
    TimeTest,
    Users,
)
from gateway.identity.perimeter import is_siren, is_siret
from gateway.identity.values import is_insee
from gateway.policy.conditions import Group

CONDITION = "condition"
"""The error type of a value that is not a condition."""

TAG = "="
"""Marks the tags of the union, which pydantic puts into an error's path although they are not keys of the file."""


def _group(name: str) -> str:
    return Group(name).name


class GroupIs(Strict):
    group: ByProviders[Annotated[str, AfterValidator(checked(_group))]]
    """The person is in this group."""


class ClaimIs(Strict):
    claim: ByProviders[ClaimTest]


class UserIs(Strict):
    user: ByProviders[Users]
    """One person: `PROVIDER/SUBJECT`."""


class ProviderIs(Strict):
    provider: ByProviders[Providers]
    """The person signed in at this provider."""


class TenantIs(Strict):
    tenant: ByProviders[TenantTest]
    """The organisation for which the person acts."""


class MandateTest(Strict):
    office: Offices
    """The office as the directory writes it: `maire`. Of several, one is enough."""
    of: Maybe[Literal["tenant"]] = None
    """`tenant`: the mandate must be in the organisation for which the person acts. By default a mandate in any
    organisation is enough."""


class MandateIs(Strict):
    mandate: ByProviders[
        Annotated[
            Annotated[Offices, Tag(TAG + "offices")] | Annotated[MandateTest, Tag(TAG + "mandate")],
            Discriminator(lambda value: TAG + ("mandate" if isinstance(value, dict) else "offices")),
        ]
    ]
    """The person holds this mandate now. A mandate from a directory ends after its last day. A mandate from a provider
    (its attribute `mandates`) has no end."""


class NetworkIs(Strict):
    network: Own[Networks]
    """The network of the client."""


class MethodIs(Strict):
    method: Own[Methods]


class HeaderIs(Strict):
    header: Own[HeaderTest]


class QueryIs(Strict):
    query: Own[QueryTest]


class TimeIs(Strict):
    time: Own[TimeTest]


class AcrMinIs(Strict):
    acr_min: ByProviders[LevelName]
    """The person signed in at this level of the ladder or a stronger one."""


class AmrIs(Strict):
    amr: ByProviders[SignInMethods]
    """The person signed in by one of these methods (RFC 8176)."""


class MaxAgeIs(Strict):
    max_age: ByProviders[WholeSeconds]
    """The person authenticated at most this long ago."""


class SharedIs(Strict):
    shared: Own[Name]
    """The condition of this name in shared/."""


class WhenIs(Strict):
    when: Own[str] = Field(min_length=1, max_length=2000)
    """An expression in CEL that is true or false (needs the extra `cel`). It can loop only over the entries of a value
    and makes no network calls. An expression that could cost over 1 MiB or 400,000 steps (2 to 3 ms) for texts of 200
    bytes and lists of 30 texts of 64 does not load; a person whose values cost more is refused
    (`policy.expression`)."""


class AnyOf(Strict):
    any: Own[list["WrittenCondition"]] = Field(min_length=1)
    """True if at least one of these conditions is true."""


class AllOf(Strict):
    all: Own[list["WrittenCondition"]] = Field(min_length=1)
    """True if all of these conditions are true."""


class NotThis(Strict):
    this: Own["WrittenCondition"] = Field(alias="not")
    """True if this condition is false. Unknown stays unknown."""


WORDS = ("anyone", "signed_in")
KEYS = (
    "group", "claim", "user", "provider", "tenant", "mandate", "network", "method", "header", "query", "time",
    "acr_min", "amr", "max_age", "shared", "when", "any", "all", "not",
)  # fmt: skip


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return TAG + "word"
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return TAG + key if key in KEYS else None
    return None


WrittenCondition = Annotated[
    Annotated[Literal["anyone", "signed_in"], Tag(TAG + "word")]
    | Annotated[GroupIs, Tag(TAG + "group")]
    | Annotated[ClaimIs, Tag(TAG + "claim")]
    | Annotated[UserIs, Tag(TAG + "user")]
    | Annotated[ProviderIs, Tag(TAG + "provider")]
    | Annotated[TenantIs, Tag(TAG + "tenant")]
    | Annotated[MandateIs, Tag(TAG + "mandate")]
    | Annotated[NetworkIs, Tag(TAG + "network")]
    | Annotated[MethodIs, Tag(TAG + "method")]
    | Annotated[HeaderIs, Tag(TAG + "header")]
    | Annotated[QueryIs, Tag(TAG + "query")]
    | Annotated[TimeIs, Tag(TAG + "time")]
    | Annotated[AcrMinIs, Tag(TAG + "acr_min")]
    | Annotated[AmrIs, Tag(TAG + "amr")]
    | Annotated[MaxAgeIs, Tag(TAG + "max_age")]
    | Annotated[SharedIs, Tag(TAG + "shared")]
    | Annotated[WhenIs, Tag(TAG + "when")]
    | Annotated[AnyOf, Tag(TAG + "any")]
    | Annotated[AllOf, Tag(TAG + "all")]
    | Annotated[NotThis, Tag(TAG + "not")],
    Discriminator(_kind, custom_error_type=CONDITION, custom_error_message="not a condition"),
]

for _model in (AnyOf, AllOf, NotThis):
    _model.model_rebuild()


def leaves(condition: WrittenCondition, path: Path) -> Iterator[tuple[Path, WrittenCondition]]:
    """Every condition without parts, with the path to the condition."""
    match condition:
        case AnyOf():
            for index, part in enumerate(condition.any):
                yield from leaves(part, (*path, "any", index))
        case AllOf():
            for index, part in enumerate(condition.all):
                yield from leaves(part, (*path, "all", index))
        case NotThis():
            yield from leaves(condition.this, (*path, "not"))
        case _:
            yield path, condition


# --- shared/ and lists/

_ORGANISATION_KEYS = {"siret", "siren", "insee", "name"}


class SharedFile(Strict):
    """policies/shared/*.yaml: conditions that several applications name, as `{shared: NAME}`."""

    version: Version
    conditions: dict[Name, WrittenCondition] = Field(min_length=1, max_length=1000)
    """The conditions by name. A name must be unique across all files. Conditions may refer to each other, but not in a
    circle."""


def _organisation(value: object) -> dict[str, str]:
    written = {"siret" if len(value) > 9 else "siren": value} if isinstance(value, str) else value
    if not isinstance(written, dict) or not all(isinstance(text, str) for text in written.values()):
        raise Wrong("this is a SIRET, a SIREN, or a mapping of texts", 'write {siren: "215903501", insee: "59350"}')
    return _of_mapping(written)


def _of_mapping(written: dict[str, str]) -> dict[str, str]:
    if unknown := sorted(map(str, written.keys() - _ORGANISATION_KEYS)):
        raise Wrong(f"unknown key {unknown[0]}", f"known here: {', '.join(sorted(_ORGANISATION_KEYS))}")
    if ("siret" in written) == ("siren" in written):
        raise Wrong("an organisation has one number here", "write siret for one establishment, siren for all of them")
    number = written.get("siret", written.get("siren", ""))
    if not (is_siret(number) if "siret" in written else is_siren(number)):
        raise Wrong(f"{number} is neither a SIRET nor a SIREN", "14 or 9 digits, the last of which checks the others")
    if "insee" in written and not is_insee(written["insee"]):
        raise Wrong(f"{written['insee']} is not the INSEE code of a commune", "five characters: 59350, 2A004")
    return {"number": number, "insee": written.get("insee", "")}


Organisation = Annotated[
    dict[str, str],
    PlainValidator(checked(_organisation)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["21590350100017", "215903501"]},
                {
                    "type": "object",
                    "properties": {key: {"type": "string"} for key in sorted(_ORGANISATION_KEYS)},
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A SIRET, a SIREN (all establishments of the legal unit), or a mapping with the number, the INSEE code and a name."""


class ListFile(Strict):
    """policies/lists/*.yaml: organisations under one name, for `{tenant: {list: NAME}}`."""

    version: Version
    organisations: list[Organisation] = Field(min_length=1, max_length=100_000)
    list: Name
