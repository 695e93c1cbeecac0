"""What an application is told on some of its paths, instead of what it is told elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.policy.routes import RouteTable
from gateway.translation.render import Translation


@dataclass(frozen=True, slots=True)
class PathTranslations:
    """Paths where an application is told otherwise. `by_pattern`: all that it is told there."""

    table: RouteTable
    by_pattern: Mapping[str, Translation]

    def find(self, segments: tuple[str, ...]) -> Translation | None:
        """None where it is told what it is told elsewhere."""
        match = self.table.find(segments)
        return None if match is None else self.by_pattern[match.pattern]

    def pattern(self, segments: tuple[str, ...]) -> str:
        """By which it is, else empty."""
        match = self.table.find(segments)
        return "" if match is None else match.pattern
