"""The JSON Schemas of the kinds of file, for editors: `python -m gateway.config.schema.json_schema [folder]`.

Drawn from the models that validate, so that an editor and `ecluse check` know the same keys. `ecluse check` also
applies the rules that JSON Schema cannot express.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import ListFile, SharedFile
from gateway.config.schema.directory import DirectoryFile
from gateway.config.schema.fence import FENCE
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.organisations import OrganisationsFile
from gateway.config.schema.policy_tests import PolicyTestsFile
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.config.schema.scalars import BYTES, SECONDS

FOLDER = Path("docs/reference/schema")
MODELS: dict[str, type[BaseModel]] = {
    "gateway": GatewayFile,
    "provider": ProviderFile,
    "saml-provider": SamlProviderFile,
    "shared": SharedFile,
    "list": ListFile,
    "directory": DirectoryFile,
    "organisations": OrganisationsFile,
    "app": AppFile,
    "tests": PolicyTestsFile,
}


class _Generator(GenerateJsonSchema):
    """Without the titles that pydantic makes up from names, and without null: a key is given a value or left out."""

    def normalize_name(self, name: str) -> str:
        """Defines each section of a file under the name of its class without our suffix."""
        return super().normalize_name(name).removesuffix("Section")

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        default = found.pop("default", None)
        if isinstance(default, dict) or default is None:
            return found  # a section's keys have defaults of their own
        if found.get("type") == "string" and not isinstance(default, str):
            default = _written(default, "KB" in found["pattern"])
        return {**found, "default": default}


def schemas() -> dict[str, str]:
    """File name to text."""
    return {f"{name}.schema.json": _text(name, model) for name, model in MODELS.items()}


def fenced_schema() -> dict[str, Any]:
    """The schema of an application's file, with the word of each key for a team's file (`FENCE`)."""
    return AppFile.model_json_schema(schema_generator=_Generator)


def _unfenced(node: Any) -> Any:
    if isinstance(node, list):
        return [_unfenced(one) for one in node]
    return {key: _unfenced(one) for key, one in node.items() if key != FENCE} if isinstance(node, dict) else node


def _text(name: str, model: type[BaseModel]) -> str:
    schema = _unfenced(model.model_json_schema(schema_generator=_Generator))
    schema["title"] = f"Écluse: {name} file"
    for definition in schema.get("$defs", {}).values():
        definition.pop("title", None)
    if model is ProviderFile:
        # A preset may have the key.
        schema["$defs"]["Oidc"]["required"].remove("issuer")
        for of in schema["properties"]["attributes"]["patternProperties"].values():
            of["anyOf"].append({"type": "null", "description": "Takes the preset's away."})
    head = {"$schema": _Generator.schema_dialect, "title": schema.pop("title")}
    return json.dumps({**head, **schema}, ensure_ascii=False, indent=2) + "\n"


def written_time(seconds: int) -> str:
    return _written(seconds, False)


def _written(value: float, is_size: bool) -> str:
    """A time or size as files write it, in the largest unit without a remainder."""
    units = BYTES if is_size else {unit: factor for unit, factor in SECONDS.items() if factor >= 1}
    unit, factor = next((unit, factor) for unit, factor in reversed(units.items()) if value % factor == 0)
    return f"{int(value // factor)}{unit}"


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
