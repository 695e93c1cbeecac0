"""A key goes from its model to the frozen type by its name alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from pydantic import Field

from gateway.config.compile.frozen import frozen
from gateway.config.schema.types import Strict


class InnerSection(Strict):
    names: list[str]


class OuterSection(Strict):
    flag: bool = False
    words: list[str] = Field(default=[])
    inner: InnerSection | None = None
    by_name: dict[str, list[str]] = Field(default={})


@dataclass(frozen=True)
class Inner:
    names: frozenset[str]


@dataclass(frozen=True)
class Outer:
    flag: bool
    words: tuple[str, ...]
    inner: Inner | None
    by_name: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Titled:
    title: str
    flag: bool = True


def test_lists_and_sections_become_what_the_frozen_type_says() -> None:
    model = OuterSection(flag=True, words=["b", "a"], inner=InnerSection(names=["x"]), by_name={"k": ["v", "v"]})
    expected = Outer(True, ("b", "a"), Inner(frozenset(["x"])), {"k": frozenset(["v"])})
    assert frozen(Outer, model) == expected
    assert frozen(Outer, OuterSection()) == Outer(False, (), None, {})


def test_what_is_worked_out_counts_before_the_models_and_the_first_model_before_the_next() -> None:
    assert frozen(Titled, OuterSection(flag=False), title="T") == Titled("T", False)
    assert frozen(Inner, InnerSection(names=["a"]), InnerSection(names=["b"])).names == {"a"}


def test_a_field_that_nobody_tells_is_never_a_default() -> None:
    with pytest.raises(TypeError, match=r"Titled\.flag: no model has this key"):
        frozen(Titled, InnerSection(names=[]), title="T")
