"""The access tokens with which programs call an application (`api:` of its file)."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from gateway.policy.routes import PathSet

ValuesOf = Callable[[bytes], Set[bytes]]


@dataclass(frozen=True, slots=True)
class OpaqueTokens:
    """The opaque tokens (no JWT) that a provider introspects. A token has to meet every condition below."""

    provider: str
    prefix: bytes = b""
    """The first bytes of the token."""
    paths: PathSet | None = None
    header: tuple[bytes, bytes] | None = None
    """A header beside the token: name in lower case, and value."""

    def is_at(self, segments: tuple[str, ...]) -> bool:
        """Raises as RouteTable.find."""
        return self.paths is None or self.paths.find(segments) is not None

    def hold(self, token: bytes, values_of: ValuesOf) -> bool:
        """On a path of these tokens."""
        if not token.startswith(self.prefix):
            return False
        if self.header is None:
            return True
        name, value = self.header
        # A header that comes twice has to have equal values.
        return values_of(name) == {value}


@dataclass(frozen=True, slots=True)
class Api:
    """Programs that send requests with an access token of `providers` to `paths`."""

    providers: tuple[str, ...]
    paths: PathSet
    forward: bool = False
    """The application gets the token too."""
    opaque: tuple[OpaqueTokens, ...] = ()
    """The opaque tokens of each provider that introspects tokens."""

    def opaque_at(self, segments: tuple[str, ...]) -> tuple[OpaqueTokens, ...] | None:
        """The opaque tokens of a path; None: programs send no token to the path. Raises as RouteTable.find."""
        if self.paths.find(segments) is None:
            return None
        return tuple([one for one in self.opaque if one.is_at(segments)])

    def introspected_by(self, token: bytes, at: tuple[OpaqueTokens, ...], values_of: ValuesOf) -> str:
        """Invariant 7: the only provider that may see the opaque token; empty if the token fits no provider, or
        several.

        `at`: the opaque tokens of the path.
        `values_of`: the values of a header in the request, by its name in lower case."""
        # A token with the prefix of a provider belongs to the provider, at any path.
        by_form = [one for one in self.opaque if one.prefix and token.startswith(one.prefix)]
        found = [one.provider for one in by_form or self.opaque if one in at and one.hold(token, values_of)]
        return found[0] if len(found) == 1 else ""
