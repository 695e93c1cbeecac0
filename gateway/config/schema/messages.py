"""Turns pydantic's errors into plain words, with their places in the file."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.config.problems import Path, Problem, did_you_mean, key_path
from gateway.config.schema.conditions import CONDITION, KEYS, TAG, WORDS
from gateway.config.schema.types import WRONG
from gateway.config.yaml.reader import YamlDocument
from gateway.model.codes import config_codes

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
_MAPPINGS = ("dict_type", "model_type")
# For a text that is too long, pydantic reports `string_too_long` or, beside other checks of the field, `too_long`.
_LONG_TEXT = "string_too_long"
_OF_CONTEXT = {
    "too_long": "more than {max_length} entries",
    _LONG_TEXT: "longer than {max_length} characters",
    "greater_than_equal": "this must be at least {ge}",
    "less_than_equal": "this must be at most {le}",
}
_CONDITION = "a condition is anyone, signed_in, or a mapping with one of " + ", ".join(KEYS)
# Names of the conditions in other gateways.
_MEANT = {
    **dict.fromkeys(
        ("all", "any", "everyone", "everybody", "public", "true", "tous"),
        "write anyone for everybody, signed_in for those who have signed in",
    ),
    **dict.fromkeys(
        ("authenticated", "valid-user", "valid_user", "user", "users", "logged_in", "connected"),
        "did you mean signed_in?",
    ),
}
_YES_NO = {"yes": "true", "on": "true", "no": "false", "off": "false", "oui": "true", "non": "false"}


def problem_of(document: YamlDocument, model: type[BaseModel], error: ErrorDetails) -> Problem:
    """The problem for an error of validating `document.data` against `model`."""
    path, at_key = _path(document.data, error["loc"])
    message, hint = _words(model, document.data, path, error)
    if error["type"] == "missing":
        return Problem(document.place(path[:-1], key=True), key_path(path), message, hint, code=config_codes.SCHEMA.id)
    place = document.place(path, key=at_key or error["type"] == "extra_forbidden")
    return Problem(place, key_path(path), message, hint, code=config_codes.SCHEMA.id)


def _path(data: object, loc: Iterable[str | int]) -> tuple[Path, bool]:
    """The keys of the file without what pydantic adds: tags of unions, and `[key]` for a key itself."""
    path: list[str | int] = []
    at_key = False
    for step in loc:
        held = isinstance(data, dict) and step in data
        if isinstance(step, str) and not held and (step.startswith(TAG) or step == "[key]"):
            at_key = step == "[key]"
            continue
        path.append(step)
        data = data[step] if held or (isinstance(data, list) and isinstance(step, int)) else None  # type: ignore[index]
    return tuple(path), at_key


def _words(model: type[BaseModel], data: object, path: Path, error: ErrorDetails) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "too_long" and isinstance(value, str):
        kind = _LONG_TEXT
    if kind == WRONG:
        return context["message"], context["hint"]
    if kind == CONDITION:
        return _no_condition(value)
    if kind == "missing":
        return "this key is missing", ""
    if kind == "extra_forbidden":
        known = sorted(known_keys(model, path[:-1]))
        return "unknown key", did_you_mean(path[-1], known) or _listed(known)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        if tuple(known) == WORDS:
            return _no_condition(value)
        return _one_of(known, path, value)
    if kind in _WANTED:
        return _not_of_type(model, data, path, error)
    if kind in ("too_short", "string_too_short"):
        return "this is empty", "name at least one" if kind == "too_short" else ""
    if kind in _OF_CONTEXT:
        return _OF_CONTEXT[kind].format_map(context), ""
    return error["msg"], ""


def _not_of_type(model: type[BaseModel], data: object, path: Path, error: ErrorDetails) -> tuple[str, str]:
    kind, value = error["type"], error["input"]
    if path[-1:] == ("group",) and isinstance(value, list):
        return "this must be a text", "write {any: [{group: one}, {group: another}]}"
    if kind in _MAPPINGS and (value is None or isinstance(value, bool) or str(value).lower() in _YES_NO):
        message, _ = _wrong_type(kind, value, (), lambda instead: False)
        return message, _instead_of_a_switch(model, path, value)
    keys = known_keys(model, path if kind in _MAPPINGS else (*path, 0))
    return _wrong_type(kind, value, keys, lambda instead: _would_do(model, data, path, instead))


def _one_of(known: Sequence[str], path: Path, value: object) -> tuple[str, str]:
    if len(known) == 1:
        left = "it" if isinstance(path[-1], int) else path[-1]
        return f"this can only be {known[0]}", f"write {known[0]}, or leave {left} out"
    return f"this must be one of {', '.join(known)}", did_you_mean(value, known) or _same_charset(value, known)


def _same_charset(value: object, known: Sequence[str]) -> str:
    """`write latin9` for ISO-8859-15: charsets go by several names."""
    with suppress(LookupError, ValueError):
        meant = codecs.lookup(str(value))
        for name in known:
            with suppress(LookupError):
                if codecs.lookup(name).name == meant.name:
                    return f"write {name}"
    return ""


def _wrong_type(kind: str, value: object, keys: Iterable[str], would_do: Callable[[object], bool]) -> tuple[str, str]:
    """The hint is the first hint with a valid value. `keys`: the allowed keys of the mapping, or of each entry of the
    list."""
    wanted = _WANTED[kind]
    if value is None:
        return f"nothing is written here: this must be {wanted}", ""
    if kind == "bool_type" and isinstance(value, str) and value.lower() in _YES_NO:
        return f"this must be {wanted}", f"write {_YES_NO[value.lower()]}"
    hints = _hints(kind, value, sorted(keys, key=lambda key: (key != "name", key)))
    return f"this must be {wanted}", next((hint for hint, instead in hints if would_do(instead)), "")


def _hints(kind: str, value: object, keys: Iterable[str]) -> Iterator[tuple[str, object]]:
    """Possible hints, with the value that the hint suggests."""
    if kind == "string_type" and isinstance(value, int | float):
        yield "put it in quotes", str(value)
        yield f"write 127.0.0.1:{value}", f"127.0.0.1:{value}"
    elif kind == "list_type" and isinstance(value, str):
        parts = re.split(r"[\s,;]+", value.strip())
        yield f"write [{value}]", [value]
        yield f"write [{', '.join(parts)}]", parts
        for key in keys:
            yield f"write [{{{key}: {value}}}]", [{key: value}]
    elif kind in _MAPPINGS and isinstance(value, str):
        for key in keys:
            yield f"write {{{key}: {value}}}", {key: value}
    elif kind == "list_type" and isinstance(value, dict):
        yield "put it in a list: - before its first key, the others below that key", [value]


def _instead_of_a_switch(model: type[BaseModel], path: Path, value: object) -> str:
    """The hint where a mapping belongs and the file has true, yes or no value: the example in the key's description,
    else the keys that the mapping must or may have."""
    name = path[-1] if path and isinstance(path[-1], str) else ""
    if name and _YES_NO.get(str(value).lower(), str(value).lower()) == "false":
        return f"leave {name} out"
    for node in _nodes(model, path[:-1]):
        described = node.get("properties", {}).get(name, {}).get("description", "")
        if name and (shown := re.search(rf"`({re.escape(name)}: \{{[^`]*\}})`", described)):
            return f"write {shown[1]}"
    before = f"{name}: " if name else ""
    nodes = [node for node in _nodes(model, path) if node.get("type") == "object"]
    needed = next((node["required"] for node in nodes if node.get("required")), ())
    if needed:
        return f"write {before}{{{', '.join(f'{key}: ...' for key in needed)}}}"
    keys = [key for node in nodes for key in node.get("properties", ())]
    return f"write {before}{{...}}, with {', '.join(keys)}" if keys else f"write {before}{{name: value}}"


def _would_do(model: type[BaseModel], data: object, path: Path, instead: object) -> bool:
    """Whether the value `instead` would be valid at `path`."""
    tried = _replaced(data, path, instead)
    try:
        model.model_validate(tried)
    except ValidationError as error:
        return all(_path(tried, one["loc"])[0][: len(path)] != path for one in error.errors(include_url=False))
    return True


def _replaced(data: object, path: Path, value: object) -> object:
    if not path:
        return value
    if isinstance(data, dict):
        return {**data, path[0]: _replaced(data.get(path[0]), path[1:], value)}
    if isinstance(data, list):
        return [_replaced(one, path[1:], value) if index == path[0] else one for index, one in enumerate(data)]
    return data


def _no_condition(value: object) -> tuple[str, str]:
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return f"{key} is not a condition", did_you_mean(key, (*KEYS, *WORDS)) or _CONDITION
    if isinstance(value, dict) and len(value) > 1:
        return "a condition has one key", "write {all: [...]} where each is needed, {any: [...]} where one is enough"
    if isinstance(value, str):
        return "this is not a condition", _MEANT.get(value.lower()) or did_you_mean(value, WORDS) or _CONDITION
    if isinstance(value, list):
        return "a list is not a condition", "write {any: [...]} or {all: [...]}"
    return "this is not a condition", _CONDITION


def _listed(known: list[str]) -> str:
    return f"known here: {', '.join(known)}" if known else ""


def known_keys(model: type[BaseModel], path: Path) -> set[str]:
    """The keys of the mapping at `path` by the model's JSON Schema."""
    return {key for node in _nodes(model, path) for key in node.get("properties", ())}


def _nodes(model: type[BaseModel], path: Path) -> list[Mapping[str, Any]]:
    """The alternatives of the JSON Schema of the value at `path`."""
    schema = _json_schema(model)
    nodes = list(_alternatives(schema, schema))
    for step in path:
        nodes = [found for node in nodes for below in _below(node, step) for found in _alternatives(schema, below)]
    return nodes


@cache
def _json_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _alternatives(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node, with its reference resolved, followed by its alternatives."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    yield node
    for word in ("anyOf", "oneOf", "allOf"):
        for part in node.get(word, ()):
            yield from _alternatives(schema, part)


def _below(node: Mapping[str, Any], step: str | int) -> Iterator[Mapping[str, Any]]:
    if isinstance(step, int):
        found = node.get("items")
    else:
        of_any_name = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
        found = node.get("properties", {}).get(step) or next((one for one in of_any_name if one), None)
    if isinstance(found, dict):
        yield found
