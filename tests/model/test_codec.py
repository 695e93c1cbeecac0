"""Every frozen type of a configuration comes through to a worker as it is, and nothing else does."""

import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.compile.plan import Application, Line, decode_line, encode_plan
from gateway.model.codec import NOT_CARRIED, carried_fields, codec_of
from gateway.policy.routes import NO_PATHS, PathSet
from gateway.translation.specs import CookieSpec, HeaderSpec

_JSON: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
)
_PLAIN: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text() | st.just("\udce9\n\u2028"),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(),
    NoneType: st.none(),
    IPv4Network: st.ip_addresses(v=4).map(IPv4Network),
    IPv6Network: st.ip_addresses(v=6).map(IPv6Network),
    object: _JSON,
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a plan has."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(map(values_of, arguments))
    if origin is tuple and arguments[-1] is ...:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    if origin is frozenset:
        return st.frozensets(values_of(arguments[0]), max_size=3)
    if origin is Mapping:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    if kind is PathSet:  # its patterns are parsed
        return st.sampled_from([NO_PATHS, PathSet(("/a/**", "/b"), case_insensitive=True)])
    assert is_dataclass(kind)
    assert isinstance(kind, type)
    hints = typing.get_type_hints(kind)
    fields = {each.name: values_of(hints[each.name]) for each in carried_fields(kind)}
    if kind in (HeaderSpec, CookieSpec):  # made into bytes at once
        fields |= {"name": st.just("X-Name")} | ({"nobody": st.none()} if kind is HeaderSpec else {})
    return st.builds(kind, **fields)


@pytest.mark.slow
@pytest.mark.parametrize("kind", get_args(Line), ids=lambda kind: kind.__name__)
@settings(max_examples=30)  # one of an application has some hundred values, and takes a second to make
@given(data=st.data())
def test_every_value_of_a_plan_comes_through_as_it_is(kind: type, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    line = encode_plan([value])
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    read = decode_line(line)
    assert encode_plan([read]) == line
    # A translation is compared by identity: each application has its own.
    assert kind is Application or read == value


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Point:
    x: int
    name: str = ""


@dataclass(frozen=True)
class Joined:
    x: int
    doubled: int = field(init=False)
    name: str = field(default="", metadata=NOT_CARRIED)

    def __post_init__(self) -> None:
        object.__setattr__(self, "doubled", 2 * self.x)


@dataclass(frozen=True)
class Circle:
    centre: Point
    colour: Colour = Colour.RED


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        (Circle, Circle(Point(1, "a")), {"centre": {"x": 1, "name": "a"}}),
        (Circle, Circle(Point(1), Colour.BLUE), {"centre": {"x": 1}, "colour": "blue"}),
        (Point | Circle, Point(1), {"Point": {"x": 1}}),
        (Point | None, None, None),
        (Joined, Joined(1), {"x": 1}),
        (str | IPv4Network, IPv4Network("10.0.0.0/8"), {"IPv4Network": "10.0.0.0/8"}),
        (frozenset[str], frozenset("ba"), ["a", "b"]),
        (tuple[int, bytes], (1, b"\x00"), [1, "AA=="]),
        (Literal["a"] | Literal["b"], "b", "b"),
        (Mapping[str, tuple[int, ...]], {"b": (1,), "a": ()}, {"b": [1], "a": []}),
    ],
)
def test_how_a_value_is_written(kind: Any, value: object, written: object) -> None:
    codec = codec_of(kind)
    assert codec.write(value) == written
    assert codec.read(json.loads(json.dumps(written))) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Point, {"name": ""}),
        (Point, {"x": 1, "name": "", "y": 2}),
        (Joined, {"x": 1, "doubled": 3}),
        (Joined, {"x": 1, "name": "a"}),
        (Point, {"x": "1", "name": ""}),
        (Point, {"x": True, "name": ""}),
        (Point, [1, ""]),
        (Point | Circle, {"Square": {}}),
        (Point | Circle, {"Point": {"x": 1, "name": ""}, "Circle": {}}),
        (Point | Circle, {}),
        (Colour, "green"),
        (Literal["a", "b"], "c"),
        (Literal[1], True),
        (float, 1),
        (bytes, "A"),
        (bytes, 1),
        (tuple[int, int], [1]),
        (tuple[int, ...], {"0": 1}),
        (frozenset[str], ["a", "a"]),
        (Mapping[str, int], {"a": None}),
        (IPv4Network, "10.0.0.1/8"),
        (str, None),
    ],
)
def test_what_is_not_exactly_of_the_type_is_refused(kind: Any, written: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        codec_of(kind).read(written)


@pytest.mark.parametrize(
    ("kind", "value"), [(Point, Circle(Point(1))), (Point, Point(True)), (int, "1"), (float, 1), (tuple[int, ...], [1])]
)
def test_what_is_not_of_the_type_is_not_written_either(kind: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r"^not "):
        codec_of(kind).write(value)


def test_a_refusal_never_tells_the_value() -> None:
    with pytest.raises(ValueError, match=r"^not ") as refused:
        codec_of(Point).read({"x": "secret", "name": "secret"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "kind", [list[int], dict[str, int], Mapping[int, str], Any, complex, Literal["a"] | int, list[int] | None]
)
def test_a_type_that_cannot_be_carried_is_refused_when_its_codec_is_made(kind: Any) -> None:
    with pytest.raises(TypeError):
        codec_of(kind)
