"""What pydantic found, in plain words and at its place in the file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from gateway.config.problems import Path, Problem, did_you_mean, key_path
from gateway.config.schema_conditions import CONDITION, KEYS, TAG, WORDS
from gateway.config.schema_types import WRONG
from gateway.config.yaml_reader import Document

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
}
_OF_CONTEXT = {
    "too_long": "more than {max_length} entries",
    "string_too_long": "longer than {max_length} characters",
    "greater_than_equal": "this must be at least {ge}",
    "less_than_equal": "this must be at most {le}",
}
_CONDITION = "a condition is anyone, signed_in, or a mapping with one of " + ", ".join(KEYS)
_YES_NO = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def problem_of(document: Document, model: type[BaseModel], error: ErrorDetails) -> Problem:
    """One error of validating `document.data` against `model`."""
    path, at_key = _path(document.data, error["loc"])
    message, hint = _words(model, path, error)
    if error["type"] == "missing":
        return Problem(document.place(path[:-1], key=True), key_path(path), message, hint)
    place = document.place(path, key=at_key or error["type"] == "extra_forbidden")
    return Problem(place, key_path(path), message, hint)


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


def _words(model: type[BaseModel], path: Path, error: ErrorDetails) -> tuple[str, str]:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
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
        return f"this must be one of {', '.join(known)}", did_you_mean(value, known)
    if kind in _WANTED:
        if path[-1:] == ("group",) and isinstance(value, list):
            return "this must be a text", "write {any: [{group: one}, {group: another}]}"
        return _wrong_type(kind, value)
    if kind in ("too_short", "string_too_short"):
        return "this is empty", "name at least one" if kind == "too_short" else ""
    if kind in _OF_CONTEXT:
        return _OF_CONTEXT[kind].format_map(context), ""
    return error["msg"], ""


def _wrong_type(kind: str, value: object) -> tuple[str, str]:
    wanted = _WANTED[kind]
    if value is None:
        return f"nothing is written here: this must be {wanted}", ""
    hint = ""
    if kind == "string_type" and isinstance(value, int | float):
        hint = "put it in quotes"
    elif kind == "bool_type" and isinstance(value, str) and value.lower() in _YES_NO:
        hint = f"write {_YES_NO[value.lower()]}"
    elif kind == "list_type" and isinstance(value, str):
        hint = f"write [{value}]"
    return f"this must be {wanted}", hint


def _no_condition(value: object) -> tuple[str, str]:
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        return f"{key} is not a condition", did_you_mean(key, (*KEYS, *WORDS)) or _CONDITION
    if isinstance(value, dict) and len(value) > 1:
        return "a condition has one key", "write {all: [...]} where each is needed, {any: [...]} where one is enough"
    if isinstance(value, str):
        return "this is not a condition", did_you_mean(value, WORDS) or _CONDITION
    if isinstance(value, list):
        return "a list is not a condition", "write {any: [...]} or {all: [...]}"
    return "this is not a condition", _CONDITION


def _listed(known: list[str]) -> str:
    return f"known here: {', '.join(known)}" if known else ""


def known_keys(model: type[BaseModel], path: Path) -> set[str]:
    """The keys that the mapping at `path` may have, as the JSON Schema of the model tells them."""
    schema = _json_schema(model)
    nodes = list(_alternatives(schema, schema))
    for step in path:
        nodes = [found for node in nodes for below in _below(node, step) for found in _alternatives(schema, below)]
    return {key for node in nodes for key in node.get("properties", ())}


@cache
def _json_schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _alternatives(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node, or what it refers to; each alternative where it has several."""
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
