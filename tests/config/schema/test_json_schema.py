"""The schemas in docs/ are those of the models, and say of the examples what the models say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.config.schema.json_schema import FOLDER, main, schemas
from gateway.config.yaml.reader import read_document
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_committed_schemas_are_current(name: str) -> None:
    assert (ROOT / FOLDER / name).read_text(encoding="utf-8") == schemas()[name], "run `make schema`"


def test_the_command_writes_them(tmp_path: Path) -> None:
    assert main([str(tmp_path / "new")]) == 0
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == schemas()


@pytest.mark.slow
def test_the_command_runs_as_a_module(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "gateway.config.schema.json_schema", str(tmp_path)], check=True, timeout=PATIENCE
    )
    assert len(list(tmp_path.iterdir())) == 9


def places(schema: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every object of a schema with its path."""
    found = []
    if isinstance(schema, dict):
        found.append((path, schema))
        for key, value in schema.items():
            found += places(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            found += places(value, f"{path}/{index}")
    return found


@pytest.mark.parametrize("name", sorted(schemas()))
def test_no_schema_takes_null_or_an_unknown_key(name: str) -> None:
    for path, node in places(json.loads(schemas()[name])):
        # But for the attribute of a preset that is taken away.
        taken_away = name == "provider.schema.json" and "/properties/attributes/" in path
        assert node.get("type") != "null" or taken_away, path
        assert not ("default" in node and node["default"] is None and "type" in node), path
        if "properties" in node and not path.endswith("properties"):
            assert node["additionalProperties"] is False, path


@pytest.mark.parametrize("name", sorted(schemas()))
def test_a_default_is_written_as_a_file_would(name: str) -> None:
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list}
    for path, node in places(json.loads(schemas()[name])):
        if "default" in node and isinstance(node.get("type"), str):
            assert isinstance(node["default"], kinds[node["type"]]), path


def test_each_example_names_its_schema() -> None:
    for path in sorted((ROOT / "policies").rglob("*.yaml")):
        first = path.read_text().splitlines()[0]
        _, _, target = first.partition("# yaml-language-server: $schema=")
        assert (path.parent / target).resolve().is_file(), path
        document, _ = read_document(path.name, path.read_bytes())
        properties = json.loads((path.parent / target).read_text())["properties"]
        assert isinstance(document.data, dict)
        assert document.data.keys() <= properties.keys()
