"""Frozen values to JSON and back, by the annotations of their types.

`codec_of` examines a type once, and refuses a type that JSON cannot carry. `read` accepts exactly the values of the
type: a missing field without a default, an unknown field or a value of another type is a ValueError. Only processes of
the same release exchange a plan, so the plan needs no version of its own.

| type                                              | JSON                                                        |
|---|---|
| dataclass                                         | an object without computed fields, fields NOT_CARRIED and   |
|                                                   | fields with their default value                             |
| tuple, frozenset                                  | an array; a set is sorted                                   |
| Mapping with texts as keys                        | an object, in its order                                     |
| bytes; a network                                  | base64; a text                                              |
| Literal, str, int, float, bool, None, an Enum     | the value itself                                            |
| a union of classes                                | an object with one key, the name of the class               |
| object                                            | JSON as it is                                               |
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

Json = Any
_Convert = Callable[[Any], Any]

NOT_CARRIED: Final = {"carried": False}
"""Metadata of a dataclass field with a default. JSON omits the field, and the receiver sets the value."""


@dataclass(frozen=True, slots=True)
class Codec:
    """Converts the values of a type. Both directions raise ValueError for a value of another type."""

    write: _Convert
    """To JSON."""
    read: _Convert
    """From JSON. Consumes the JSON value: a record takes over the dictionary."""
    plain: type | None = None
    """The type, if JSON has the same value: a container then checks values without a call for each."""


def codec_of(kind: Any) -> Codec:
    """`kind`: a type, as in an annotation. Raises TypeError for a type that the codec cannot carry."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType):
        return _union(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is frozenset:
        return _set(codec_of(arguments[0]))
    if origin is Mapping and arguments[0] is str:
        return _mapping(codec_of(arguments[1]))
    if kind is object:
        return Codec(lambda value: value, lambda value: value)
    if kind in _PLAIN:
        exact = _exactly(kind)
        return Codec(exact, exact, kind)
    if kind in _AS_TEXT:
        return _as_text(kind, *_AS_TEXT[kind])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enumeration(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    raise TypeError(f"{kind!r} cannot be carried")


_PLAIN = (str, int, float, bool, NoneType)
_AS_TEXT: dict[Any, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    bytes: (lambda value: b64encode(value).decode("ascii"), lambda text: b64decode(text, validate=True)),
    IPv4Network: (str, IPv4Network),
    IPv6Network: (str, IPv6Network),
}


def _refused(wanted: str, value: object) -> ValueError:
    # The value may be a secret: the message names its type alone.
    return ValueError(f"not {wanted}: a value of type {type(value).__name__}")


def _exactly(kind: type) -> _Convert:
    name = kind.__name__

    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise _refused(name, value)
        return value

    return check


def _as_text(kind: type, to_text: Callable[[Any], str], of_text: Callable[[str], Any]) -> Codec:
    given, text = _exactly(kind), _exactly(str)
    return Codec(lambda value: to_text(given(value)), lambda value: of_text(text(value)))


def _one_of(values: tuple[Any, ...]) -> Codec:
    known = {(type(value), value): value for value in values}

    def check(value: Any) -> Any:
        """Returns the word from the type's annotation, so that thousands of applications share one object."""
        try:
            return known[type(value), value]
        except (KeyError, TypeError):
            raise _refused(f"one of {', '.join(map(str, values))}", value) from None

    return Codec(check, check)


def _enumeration(kind: type[Enum]) -> Codec:
    given = _exactly(kind)
    return Codec(lambda value: given(value).value, kind)


def _tuple(kinds: tuple[Any, ...]) -> Codec:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        item = codec_of(kinds[0])
        return Codec(_each(tuple, list, item.write, item.plain), _each(list, tuple, item.read, item.plain))
    items = [codec_of(kind) for kind in kinds]
    return Codec(
        _in_turn(tuple, list, [item.write for item in items]), _in_turn(list, tuple, [item.read for item in items])
    )


def _each(kind: type, into: Callable[[Any], Any], item: _Convert, plain: type | None) -> _Convert:
    given = _exactly(kind)
    if plain is None:
        return lambda value: into([item(each) for each in given(value)])

    def check(value: Any) -> Any:
        for each in given(value):
            if type(each) is not plain:
                raise _refused(plain.__name__, each)
        return into(value)

    return check


def _in_turn(kind: type, into: Callable[[Any], Any], items: list[_Convert]) -> _Convert:
    given, count = _exactly(kind), len(items)

    def turn(value: Any) -> Any:
        if len(given(value)) != count:
            raise _refused(f"a sequence of {count}", value)
        return into([item(each) for item, each in zip(items, value, strict=True)])

    return turn


def _set(item: Codec) -> Codec:
    given, array = _exactly(frozenset), _exactly(list)

    def read(value: Any) -> Any:
        found = frozenset(map(item.read, array(value)))
        if len(found) != len(value):
            raise _refused("a set: an item comes twice", value)
        return found

    return Codec(lambda value: sorted(map(item.write, given(value))), read)


def _mapping(item: Codec) -> Codec:
    text, given = _exactly(str), _exactly(dict)
    return Codec(
        lambda value: {text(key): item.write(one) for key, one in value.items()},
        lambda value: {key: item.read(one) for key, one in given(value).items()},
    )


def _record(kind: type) -> Codec:
    hints, own = get_type_hints(kind), carried_fields(kind)
    codecs = {field.name: codec_of(hints[field.name]) for field in own}
    defaults = {field.name: codecs[field.name].write(_default(field)) for field in own if _has_default(field)}
    writers = [(name, codec.write) for name, codec in codecs.items()]
    readers = {name: codec.read for name, codec in codecs.items() if codec.plain is None}
    plain = {name: codec.plain for name, codec in codecs.items() if codec.plain is not None}
    known, needed = frozenset(codecs), codecs.keys() - defaults.keys()
    usual = None if needed else kind()

    def write(value: Any) -> Json:
        if type(value) is not kind:
            raise _refused(kind.__name__, value)
        written = {name: part(getattr(value, name)) for name, part in writers}
        return {name: one for name, one in written.items() if name not in defaults or one != defaults[name]}

    def read(value: Json) -> Any:
        if type(value) is not dict or not known.issuperset(value) or not needed <= value.keys():
            raise _refused(f"{kind.__name__} with its fields", value)
        if usual is not None and not value:
            return usual
        for name, given in value.items():
            if name in readers:
                value[name] = readers[name](given)
            elif type(given) is not plain[name]:
                raise _refused(f"{kind.__name__}.{name}", given)
        return kind(**value)

    return Codec(write, read)


def carried_fields(kind: Any) -> list[Field[Any]]:
    """The fields of a dataclass in JSON: without computed fields (`init=False`) and fields NOT_CARRIED."""
    return [field for field in fields(kind) if field.init and field.metadata.get("carried", True)]


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _union(kinds: tuple[Any, ...]) -> Codec:
    """None becomes null. Several Literals count as one Literal. A value in a union of classes carries its class
    name."""
    words = tuple(word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind))
    others = [kind for kind in kinds if kind is not NoneType and get_origin(kind) is not Literal]
    if words and others:
        raise TypeError(f"{kinds!r}: words and something else cannot be carried")
    if words:
        some = _one_of(words)
    else:
        some = codec_of(others[0]) if len(others) == 1 else _tagged(others)
    return _or_none(some) if NoneType in kinds else some


def _or_none(some: Codec) -> Codec:
    write, read = some.write, some.read
    return Codec(
        lambda value: None if value is None else write(value), lambda value: None if value is None else read(value)
    )


def _tagged(kinds: list[Any]) -> Codec:
    if not all(isinstance(kind, type) for kind in kinds):
        raise TypeError(f"{kinds!r}: only classes can be told from each other")
    codecs = {kind.__name__: codec_of(kind) for kind in kinds}
    if len(codecs) != len(kinds):
        raise TypeError(f"{kinds!r}: two classes of one name")

    def write(value: Any) -> Json:
        name = type(value).__name__
        if name not in codecs:
            raise _refused(f"one of {', '.join(codecs)}", value)
        return {name: codecs[name].write(value)}

    def read(value: Json) -> Any:
        if type(value) is not dict or len(value) != 1:
            raise _refused(f"one of {', '.join(codecs)}", value)
        ((name, one),) = value.items()
        if name not in codecs:
            raise _refused(f"one of {', '.join(codecs)}", value)
        return codecs[name].read(one)

    return Codec(write, read)
