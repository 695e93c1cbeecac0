"""Writes docs/reference/*.md from the code: `tools/reference.py [FOLDER]`. A test compares what is committed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gateway.config.schema.fence import BOUNDS, FENCE
from gateway.config.schema.json_schema import fenced_schema, schemas
from gateway.lint.rules import ABOUT_IGNORES, RULES
from gateway.model.codes.code import Code
from gateway.model.codes.table import all_codes
from gateway.model.events import EVENTS
from gateway.ops.metrics import METRICS, Gauges, render
from tools.exit_codes import MEANINGS

FOLDER = Path("docs/reference")
_FILES = {
    "gateway": "gateway.yaml",
    "provider": "providers/*.yaml of an OpenID provider",
    "saml-provider": "providers/*.yaml of a SAML provider",
    "tests": "tests/*.yaml",
    "shared": "shared/*.yaml",
    "list": "lists/*.yaml",
    "directory": "directories/*.yaml",
    "organisations": "organisations/*.yaml",
    "app": "apps/**/*.yaml",
}


def pages() -> dict[str, str]:
    """File name to text."""
    return {
        "codes.md": _table(
            "Codes",
            "Every code that a log line, a page or a JSON answer can hold. A code is never renamed.",
            ("code", "status", "what the person reads"),
            ((f"`{code.id}`", str(code.status or "-"), _read(code)) for code in all_codes()),
        ),
        "events.md": _table(
            "Log events",
            "One JSON object a line on standard output: `time`, `level`, `event`, `pid`, `request_id`, `reference` "
            "(its short form, as pages show it) and facts.",
            ("event", "level", "meaning"),
            ((f"`{event.id}`", event.level, event.meaning) for event in EVENTS.values()),
        ),
        "metrics.md": _table(
            "Metrics",
            "At `/metrics` of the admin listener. Labels are configured names and codes, never what a client sends.",
            ("metric", "kind", "labels", "meaning"),
            _metrics(),
        ),
        "configuration.md": "\n".join(_configuration()),
        "teams.md": "\n".join(_teams()),
        "lint.md": "\n".join(_lint()),
        "exit-codes.md": _table(
            "Exit codes",
            "What each command ends with. 2 is always wrong usage, or what was named and cannot be reached or read.",
            ("command", "0", "1", "3"),
            (
                (f"`ecluse {command}`", *meanings, *("-",) * (3 - len(meanings)))
                for command, meanings in MEANINGS.items()
            ),
        ),
    }


def _teams() -> Iterator[str]:
    """What bounds each key that a team may write."""
    about = (
        "What bounds each key of an app file that a team owns: a list of `teams.NAME` in gateway.yaml, or, for `own`, "
        "nothing, because the key concerns only the team's own applications. "
        "[Conditions](configuration.md#conditions) are bounded in the same way: `anyone` by `hosts`, `signed_in` by "
        "`providers`."
    )
    yield _table("The fence of a team", about, ("word", "means"), ((f"`{one}`", say) for one, say in BOUNDS.items()))
    for title, bounds in (("Keys", fenced_keys(fenced_schema())), ("Conditions", fenced_conditions(fenced_schema()))):
        yield from (f"## {title}", "", _row(("key", "bounded by")), _row(("---",) * 2))
        yield from (_row((f"`{key.replace('*', 'NAME')}`", f"`{word}`")) for key, word in bounds)
        yield ""


def fenced_keys(root: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every key that an application's file may have (`[]`: the entries of a list, `*`: names that the operator
    chooses), and what bounds it in a team's file: the nearest word, empty where there is none."""
    return _fenced(root, root, "", "")


def fenced_conditions(root: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Likewise each kind of condition that is a mapping."""
    choices = root["$defs"]["Rule"]["properties"]["allow"]["oneOf"]
    for choice in choices:
        yield from ((key, below.get(FENCE, "")) for key, below in _resolved(choice, root).get("properties", {}).items())


def _fenced(root: dict[str, Any], node: dict[str, Any], path: str, word: str) -> Iterator[tuple[str, str]]:
    word, node = node.get(FENCE, word), _resolved(node, root)
    if (
        path in ("access[].allow", "access[].deny")
        or (set(node.get("properties", ())) <= {"file", "env", "credential"} and "properties" in node)
        or ("anyOf" in node and any(part.get("type") == "object" for part in node["anyOf"]))
    ):
        yield path, word
    elif "oneOf" in node:
        for choice in node["oneOf"]:
            yield from _fenced(root, choice, path, word)
    elif "properties" in node:
        for key, below in node["properties"].items():
            yield from _fenced(root, below, f"{path}.{key}".removeprefix("."), word)
    elif node.get("type") == "array":
        yield from _fenced(root, node["items"], f"{path}[]", word)
    elif "patternProperties" in node or isinstance(node.get("additionalProperties"), dict):
        (below,) = node.get("patternProperties", {"": node.get("additionalProperties")}).values()
        yield from _fenced(root, below, f"{path}.*", word)
    else:
        yield path, word


def _metrics() -> Iterator[tuple[str, ...]]:
    """Those that are counted, then what only the exposition itself adds."""
    for one in METRICS:
        yield f"`{one.name}`", one.kind, ", ".join(one.labels) or "-", one.help
    exposed = render(
        {}, Gauges(revision="", workers=1, reload_successful=True, reloaded_at=0.0, kept=0, closed=0)
    ).decode()
    counted = {one.name.removesuffix("_total") for one in METRICS}
    for family in text_string_to_metric_families(exposed):
        if family.name not in counted:
            labels = {name for sample in family.samples for name in sample.labels if name != "le"}
            yield f"`{family.name}`", family.type, ", ".join(sorted(labels)) or "-", family.documentation


def _lint() -> Iterator[str]:
    yield "# Lint"
    yield ""
    yield "What `ecluse lint` finds in a folder that can be served. A code is never renamed. Where one is right as"
    yield "it is, a comment at its line or above it says why: `# ecluse-ignore: EC101 the catalogue is public by law`."
    told = {**ABOUT_IGNORES, **{rule.code: (rule.title, rule.why) for rule in RULES.values()}}
    for code, (title, why) in told.items():
        yield from ("", f"## {code}", "", f"**{title}.** {why}")
    yield ""


def _read(code: Code) -> str:
    return f"{code.title}. {code.advice}".strip(". ") + "." if code.title else "(never reaches a browser)"


def _table(title: str, about: str, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [f"# {title}", "", about, "", _row(columns), _row(("---",) * len(columns)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    """In Markdown a row is one line, and a bar in a cell has to be escaped."""
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _configuration() -> Iterator[str]:
    yield "# Configuration"
    yield ""
    yield "Every key of every kind of file. Durations: `15s`, `5m`, `12h`, `7d`; sizes: `8KB`, `100MB`, `1GB`."
    yield "Scalars are read as YAML 1.2: `no`, `012` and `1:30` are texts. Paths of files start from the policy folder."
    for file, kind in _FILES.items():
        schema = json.loads(schemas()[f"{file}.schema.json"])
        yield ""
        yield f"## {kind}"
        yield from _section(schema, schema, "")
        if file == "saml-provider":
            yield ""
            yield "### `saml.metadata`, where it is fetched"
            yield from _section(schema["$defs"]["MetadataFrom"], schema, "saml.metadata")
    yield from _conditions(schema)
    yield ""


def _conditions(schema: dict[str, Any]) -> Iterator[str]:
    """What `allow` and `deny` take. `schema`: of the app file."""
    yield ""
    yield "### Conditions"
    yield ""
    yield "`anyone`, `signed_in`, or a mapping with one of these keys:"
    choices = schema["$defs"]["Rule"]["properties"]["allow"]["oneOf"]
    found = [_resolved(choice, schema).get("properties", {}) for choice in choices]
    yield from _section({"properties": {key: value for one in found for key, value in one.items()}}, schema, "")


def _section(schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    yield ""
    yield _row(("key", "value", "default", "meaning"))
    yield _row(("---",) * 4)
    nested: list[tuple[str, dict[str, Any]]] = []
    required = schema.get("required", [])
    for name, value in schema.get("properties", {}).items():
        resolved = _resolved(value, root)
        key = f"{path}.{name}" if path else name
        default = "required" if name in required else _default(value)
        yield _row(
            (f"`{key}`", _value(value, root), default, value.get("description") or resolved.get("description", ""))
        )
        nested += _below(key, resolved, root)
    for key, below in nested:
        yield ""
        yield f"### `{key}`"
        yield from _section(below, root, key)


def _below(key: str, resolved: dict[str, Any], root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings inside a value: itself, the members of a list, the values under any name."""
    of_any_name = (resolved.get("additionalProperties"), *resolved.get("patternProperties", {}).values())
    items = resolved.get("items", {})
    # A word or a mapping. Conditions, which are one of many, have tables of their own.
    choices = items.get("oneOf", ())
    listed = (("[]", one) for one in (choices if len(choices) == 2 else (items,)))
    members = (("", resolved), *listed, *((".NAME", one) for one in of_any_name))
    for step, member in members:
        if isinstance(member, dict) and "properties" in (found := _resolved(member, root)):
            yield key + step, found


def _resolved(value: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = value.get("$ref")
    if reference is None:
        return value
    found: dict[str, Any] = root["$defs"][reference.rpartition("/")[2]]
    return found


def _default(value: dict[str, Any]) -> str:
    return f"`{json.dumps(value['default'], ensure_ascii=False)}`" if "default" in value else "-"


def _value(value: dict[str, Any], root: dict[str, Any]) -> str:
    resolved = _resolved(value, root)
    if isinstance(resolved.get("const"), str):
        return f"`{resolved['const']}`"
    if "enum" in resolved:
        return ", ".join(f"`{choice}`" for choice in resolved["enum"])
    if "oneOf" in resolved or "anyOf" in resolved:
        choices = resolved.get("oneOf") or resolved["anyOf"]
        return " or ".join(dict.fromkeys(_value(choice, root) for choice in choices))
    kind = resolved.get("type", "any")
    if kind == "array":
        return f"list of {_value(resolved.get('items', {}), root)}"
    if kind == "object":
        return "{" + ", ".join(resolved.get("properties", ("name: ...",))) + "}"
    return str(kind)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, text in pages().items():
        (folder / name).write_text(text, "utf-8")
