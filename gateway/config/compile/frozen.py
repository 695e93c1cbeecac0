"""From the models of `schema` to the frozen types that serve.

A key with one name in the model and in the frozen type is carried over without a line of code; a value that is derived
is passed by name. The defaults are those of the schema, never those of a frozen type.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from gateway.config.problems import Path
from gateway.model.codec import carried_fields

_Frozen = TypeVar("_Frozen")

Material = Mapping[tuple[str, Path], bytes]
"""The bytes behind the references of the files, by file and key path."""


def frozen(kind: type[_Frozen], *models: BaseModel, **worked_out: object) -> _Frozen:
    """A value of `kind`, a frozen dataclass: each field is passed, or comes from the first model that has its name.

    Lists become tuples or frozensets, mappings become tuples of pairs, and models become dataclasses, as the field's
    type says. Raises TypeError for a field that is neither passed nor in a model.
    """
    values = dict(worked_out)
    for name, fitted in _fields(cast(Hashable, kind)).items():
        if name not in values:
            values[name] = fitted(_value_of(kind, name, models))
    return kind(**values)


def _value_of(kind: type, name: str, models: tuple[BaseModel, ...]) -> object:
    for model in models:
        if name in type(model).model_fields:
            return getattr(model, name)
    raise TypeError(f"{kind.__name__}.{name}: no model has this key, and it is not passed")


@cache
def _fields(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _fitting(hints[field.name]) for field in carried_fields(kind)}


def _fitting(kind: Any) -> Callable[[Any], Any]:
    """A function that converts a model's value to this type."""
    origin: Any = get_origin(kind)
    arguments = get_args(kind)
    if origin in (Union, UnionType):
        some = [each for each in arguments if each is not NoneType]
        fitting = _fitting(some[0]) if len(some) == 1 else _as_it_is
        return lambda value: None if value is None else fitting(value)
    if origin is tuple:
        return lambda value: tuple(value.items() if isinstance(value, Mapping) else value)
    if origin is frozenset:
        return frozenset
    if origin is Mapping:
        fitted = _fitting(arguments[1])
        return lambda value: {key: fitted(one) for key, one in value.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return lambda value: frozen(kind, value)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
