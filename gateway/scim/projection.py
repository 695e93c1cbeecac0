"""Which attributes of a resource a client wants to see (RFC 7644 3.9). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.scim.user import USER

# RFC 7643 3 and 3.1: always returned.
_ALWAYS: Final = frozenset({"schemas", "id"})
MOST_NAMES: Final = 64
WANTED: Final = "attributes"
UNWANTED: Final = "excludedAttributes"
_OWN: Final = f"{USER}:".lower()


@dataclass(frozen=True, slots=True)
class Projection:
    """Names are in lower case; a nested name is `meta.created`. `wanted`: None for every attribute."""

    wanted: frozenset[str] | None = None
    unwanted: frozenset[str] = frozenset()

    def of(self, resource: Mapping[str, object]) -> dict[str, object]:
        shown = {}
        for name, value in resource.items():
            lower = name.lower()
            if lower in _ALWAYS or self._shows(lower):
                shown[name] = value
            elif isinstance(value, dict) and lower not in self.unwanted:
                parts = {part: one for part, one in value.items() if self._shows(f"{lower}.{part.lower()}")}
                shown |= {name: parts} if parts else {}
        return shown

    def _shows(self, name: str) -> bool:
        """An attribute with an unwanted part is not shown whole."""
        if self.wanted is not None:
            return name in self.wanted
        return name not in self.unwanted and not any(one.startswith(f"{name}.") for one in self.unwanted)


WHOLE: Final = Projection()


def read_projection(parameters: Mapping[str, str]) -> Projection:
    """Of a query. Raises GatewayError(scim_codes.VALUE)."""
    return projection_of(_split(parameters, WANTED), _split(parameters, UNWANTED))


def projection_of(wanted: Iterable[str] | None, unwanted: Iterable[str] | None) -> Projection:
    """An attribute that a User lacks is left out silently. Raises GatewayError(scim_codes.VALUE)."""
    if wanted is not None and unwanted is not None:
        # 3.4.1: they exclude each other.
        raise GatewayError(scim_codes.VALUE, "attributes and excludedAttributes are given, and one of them may be")
    return Projection(None if wanted is None else _names(wanted), _names(unwanted or ()))


def _split(parameters: Mapping[str, str], name: str) -> list[str] | None:
    text = parameters.get(name)
    if text is None:
        return None
    if text.count(",") >= MOST_NAMES:
        raise GatewayError(scim_codes.VALUE, f"{name} has over {MOST_NAMES} names")
    return text.split(",")


def _names(told: Iterable[str]) -> frozenset[str]:
    return frozenset(one.strip().lower().removeprefix(_OWN) for one in told)
