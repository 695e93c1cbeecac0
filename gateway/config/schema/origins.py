"""The keys of a provider file, with the values that take effect and their origins: the file, the preset, the
default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from gateway.config.presets import preset_of
from gateway.config.problems import Path, key_path
from gateway.config.schema.json_schema import written_time
from gateway.config.schema.load import AnyProviderFile, Loaded
from gateway.config.schema.scalars import REFERENCE_KINDS

_SECRETS = ("client_secret", "key")
_NOT_SHOWN = "(not shown)"


@dataclass(frozen=True, slots=True)
class Effective:
    """`origin`: `policies/providers/x.yaml:7`, `preset proconnect` or `default`."""

    key: str
    value: str
    origin: str


def effective(loaded: Loaded[AnyProviderFile]) -> Iterator[Effective]:
    """For a valid file. Omits a key that is absent and has no default."""
    if loaded.model is not None and isinstance(loaded.document.data, dict):
        preset = preset_of(loaded.document.data)
        data = preset.under(loaded.document.data) if preset else loaded.document.data
        for path, value in _leaves(loaded.model, data, ()):
            yield Effective(key_path(path), value, _origin(loaded, path))


def _leaves(model: BaseModel, data: Mapping[str, object], path: Path) -> Iterator[tuple[Path, str]]:
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        value, at = getattr(model, name), (*path, key)
        below = data.get(key)
        if isinstance(value, BaseModel):
            yield from _leaves(value, below if isinstance(below, dict) else {}, at)
        elif key in data:
            yield from _written(below, at)
        elif value not in (None, [], {}):
            yield at, _default(value)


def _written(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and value and not _is_reference(value):
        for key, below in value.items():
            yield from _written(below, (*path, key))
    else:
        yield path, _without_secret(path[-1], value)


def _without_secret(key: object, value: object) -> str:
    """Hides a secret that a development folder has in the file."""
    return _NOT_SHOWN if key in _SECRETS and isinstance(value, str) else _shown(value)


def _default(value: object) -> str:
    """The numbers of a provider file are times."""
    return written_time(value) if isinstance(value, int) and not isinstance(value, bool) else _shown(value)


def _shown(value: object) -> str:
    """The value as a line of YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        parts = (
            f"{key}: {_NOT_SHOWN if key in _SECRETS and isinstance(of, str) else _shown(of)}"
            for key, of in value.items()
        )
        return f"{{{', '.join(parts)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


def _is_reference(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)) in REFERENCE_KINDS


def _origin(loaded: Loaded[AnyProviderFile], path: Path) -> str:
    written: object = loaded.document.data
    for step in path:
        if not isinstance(written, dict) or step not in written:
            break
        written = written[step]
    else:
        place = loaded.document.place(path)
        return f"{place.file}:{place.line}"
    preset = preset_of(loaded.document.data)
    name = preset.origin(path) if preset else None
    return "default" if name is None else f"preset {name}"
