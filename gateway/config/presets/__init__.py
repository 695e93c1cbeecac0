"""Settings of common providers, as the base of a provider file. The file may override every setting.

`products` recognises a product by a provider's documents.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from gateway.config.yaml.reader import read_document

PresetName = Literal[
    "adfs",
    "entra",
    "franceconnect",
    "franceconnect-integration",
    "franceconnect-plus",
    "franceconnect-plus-integration",
    "google",
    "keycloak",
    "lemonldap",
    "proconnect",
    "proconnect-api",
    "proconnect-api-integration",
    "proconnect-api-rie",
    "proconnect-api-rie-integration",
    "proconnect-integration",
    "proconnect-rie",
    "proconnect-rie-integration",
]
KEY = "preset"
_ATTRIBUTES = "attributes"

Data = dict[str, object]


@dataclass(frozen=True, slots=True)
class Preset:
    """`layers`: name and content, the nearest first. A key that the first layer does not have comes from the next
    one."""

    layers: tuple[tuple[str, Data], ...]

    def under(self, written: Data) -> Data:
        """The provider file, completed by the preset: mappings key by key, other values as a whole. An attribute that
        is null in the file removes the preset's attribute."""
        filled = written
        for _, layer in self.layers:
            filled = _filled(filled, layer)
        attributes = filled.get(_ATTRIBUTES)
        if isinstance(attributes, dict):
            kept = {
                name: of
                for name, of in attributes.items()
                if of is not None or self.origin((_ATTRIBUTES, name)) is None
            }
            filled = {**filled, _ATTRIBUTES: kept}
        return filled

    def origin(self, path: tuple[str | int, ...]) -> str | None:
        """The name of the preset that has a value at `path`; None if no preset has."""
        return next((name for name, layer in self.layers if _has(layer, path)), None)


@cache
def preset(name: str) -> Preset | None:
    """The preset with the name; None if unknown."""
    source = files(__name__).joinpath(f"{name}.yaml")
    if not name.replace("-", "").isalnum() or not source.is_file():
        return None
    data = cast(Data, read_document(f"{name}.yaml", source.read_bytes())[0].data)
    base = data.get(KEY)
    below = preset(base) if isinstance(base, str) else None
    own = {key: value for key, value in data.items() if key != KEY}
    return Preset(((name, own), *(below.layers if below else ())))


def preset_of(data: object) -> Preset | None:
    """The preset of a provider file, as far as the file could be read."""
    name = data.get(KEY) if isinstance(data, dict) else None
    return preset(name) if isinstance(name, str) else None


def _filled(written: Data, layer: Data) -> Data:
    filled = dict(written)
    for key, value in layer.items():
        mine = filled.get(key)
        if key not in filled:
            filled[key] = value
        elif isinstance(mine, dict) and isinstance(value, dict):
            filled[key] = _filled(mine, value)
    return filled


def _has(layer: object, path: tuple[str | int, ...]) -> bool:
    for step in path:
        if not isinstance(layer, dict) or step not in layer:
            return False
        layer = layer[step]
    return True
