"""Files that apps share: named conditions, and lists of organisations."""

from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from gateway.config.schema.conditions import WrittenCondition
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.types import Name, Strict, Version, checked
from gateway.config.schema.values import is_insee
from gateway.identity.perimeter import is_siren, is_siret

_KEYS = {"siret", "siren", "insee", "name"}


class SharedFile(Strict):
    """policies/shared/*.yaml: conditions that several applications name, as `{shared: NAME}`."""

    version: Version
    conditions: dict[Name, WrittenCondition] = Field(min_length=1, max_length=1000)
    """By name; a name is given once in all files. One may refer to another, never in a circle."""


def _organisation(value: object) -> dict[str, str]:
    written = {"siret" if len(value) > 9 else "siren": value} if isinstance(value, str) else value
    if not isinstance(written, dict) or not all(isinstance(text, str) for text in written.values()):
        raise Wrong("this is a SIRET, a SIREN, or a mapping of texts", 'write {siren: "215903501", insee: "59350"}')
    return _of_mapping(written)


def _of_mapping(written: dict[str, str]) -> dict[str, str]:
    if unknown := sorted(map(str, written.keys() - _KEYS)):
        raise Wrong(f"unknown key {unknown[0]}", f"known here: {', '.join(sorted(_KEYS))}")
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
                    "properties": {key: {"type": "string"} for key in sorted(_KEYS)},
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A SIRET, a SIREN (all establishments of the legal unit), or a mapping with one of them, its INSEE code, a name."""


class ListFile(Strict):
    """policies/lists/*.yaml: organisations under one name, as `{tenant: {list: NAME}}` means them."""

    version: Version
    organisations: list[Organisation] = Field(min_length=1, max_length=100_000)
    list: Name
