"""Conditions as they are written: one word, or a mapping with one key."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from gateway.config.schema_types import AttributeName, Maybe, Strict, Yes, checked, wrong
from gateway.policy.conditions import Group
from gateway.policy.values import Equals, Suffix, Within

CONDITION = "condition"
"""The error type of what is no condition at all."""

TAG = "="
"""Begins each tag of the union, which pydantic puts into the path of an error and which is no key of the file."""


def _group(name: str) -> str:
    return Group(name).name


def _equals(text: str) -> str:
    return Equals(text).value


def _suffix(text: str) -> str:
    return Suffix(text).text


def _within(texts: list[str]) -> list[str]:
    Within(frozenset(texts))
    return texts


class ClaimTest(Strict):
    """One attribute, and one thing to ask of it; one value that passes is enough."""

    name: AttributeName
    """The attribute, by our own name for it."""
    equals: Maybe[Annotated[str, AfterValidator(checked(_equals))]] = None
    """The whole value."""
    within: Maybe[Annotated[list[str], AfterValidator(checked(_within))]] = Field(default=None, alias="in")
    """One of these values."""
    suffix: Maybe[Annotated[str, AfterValidator(checked(_suffix))]] = None
    """The end of the value, from a separator on: `@metropole.example`."""
    exists: Maybe[Yes] = None
    """Whether there is any value."""

    @model_validator(mode="after")
    def _one_test(self) -> "ClaimTest":
        if sum(test is not None for test in (self.equals, self.within, self.suffix, self.exists)) != 1:
            raise wrong("a claim is asked one thing", "write one of equals, in, suffix or exists")
        return self


class GroupIs(Strict):
    group: Annotated[str, AfterValidator(checked(_group))]
    """The person is in this group."""


class ClaimIs(Strict):
    claim: ClaimTest


class AnyOf(Strict):
    any: list["Condition"] = Field(min_length=1)
    """True if one of these is."""


class AllOf(Strict):
    all: list["Condition"] = Field(min_length=1)
    """True if each of these is."""


class NotThis(Strict):
    this: "Condition" = Field(alias="not")
    """True if this is false; what cannot be told stays so."""


WORDS = ("anyone", "signed_in")
KEYS = ("group", "claim", "any", "all", "not")


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return TAG + "word"
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return TAG + key if key in KEYS else None
    return None


Condition = Annotated[
    Annotated[Literal["anyone", "signed_in"], Tag(TAG + "word")]
    | Annotated[GroupIs, Tag(TAG + "group")]
    | Annotated[ClaimIs, Tag(TAG + "claim")]
    | Annotated[AnyOf, Tag(TAG + "any")]
    | Annotated[AllOf, Tag(TAG + "all")]
    | Annotated[NotThis, Tag(TAG + "not")],
    Discriminator(_kind, custom_error_type=CONDITION, custom_error_message="not a condition"),
]

for _model in (AnyOf, AllOf, NotThis):
    _model.model_rebuild()
