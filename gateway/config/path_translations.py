"""The translations of an application for single paths, in place of its usual translation."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.policy.routes import PathSet
from gateway.translation.render import Translation


@dataclass(frozen=True, slots=True)
class PathTranslations:
    """The paths with a translation of their own."""

    paths: PathSet
    by_pattern: Mapping[str, Translation]
    """The whole translation at each pattern of `paths`."""

    def find(self, segments: tuple[str, ...]) -> Translation | None:
        """The translation for `path`; None: the application's usual translation applies."""
        match = self.paths.find(segments)
        return None if match is None else self.by_pattern[match.pattern]

    def pattern(self, segments: tuple[str, ...]) -> str:
        """The pattern whose translation applies to the path; empty if the usual translation applies."""
        match = self.paths.find(segments)
        return "" if match is None else match.pattern
