"""A provider's proof about a person that waits for the person's choice or for the browser. A sign-out of the person
makes the proof worthless (invariant 12)."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass

from gateway.config.snapshot import Snapshot
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.portal.flow.source import is_saml
from gateway.stores.revocation.sign_in_ends import EndOf, SignInEnds


def proven_may_wait(snapshot: Snapshot) -> bool:
    """Whether a proof may wait in this configuration: then an end of sign-ins must end waiting proofs too."""
    return any(provider.chooses_tenant or is_saml(provider) for provider in snapshot.providers.values()) or any(
        directory.names_organisations for directory in snapshot.directories.values()
    )


# As SignInEnds names an end.
_Whose = tuple[EndOf, *tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """A provider's proof of `identity`.

    `at`: Unix seconds.
    `issued_at`: the time of the ID token or the assertion, by the provider's clock; None: unknown.
    `browser`: SHA-256 (hex) of the browser's binding cookie; None: no cookie.
    `sid`: the provider's session; None: unnamed.
    """

    identity: Identity
    at: int
    issued_at: int | None
    browser: str | None
    sid: str | None

    async def require_no_end(self, ends: SignInEnds) -> None:
        """Raises GatewayError if the person has signed out since, here or at the provider, in this browser or by
        name."""
        browser: list[_Whose] = [] if self.browser is None else [("browser", self.browser)]
        everybody: _Whose = ("all",)
        asked = [ends.has_ended(self.at, *whose) for whose in (everybody, *browser, *self._named())]
        asked += [ends.has_ended_at_provider(self.issued_at, *whose) for whose in self._named()]
        await _require_none(asked)

    async def require_no_later_end_at_provider(self, ends: SignInEnds) -> None:
        """Raises GatewayError if the provider signed the person out after this new proof: the browser may have held the
        proof back until then. A sign-out in the proof's own second does not count, because a browser may sign in again
        by itself that fast."""
        issued = None if self.issued_at is None else self.issued_at + 1
        await _require_none([ends.has_ended_at_provider(issued, *whose) for whose in self._named()])

    def _named(self) -> list[_Whose]:
        issuer = self.identity.issuer
        sid: list[_Whose] = [] if self.sid is None else [("sid", issuer, self.sid)]
        return [("subject", issuer, self.identity.subject), *sid]


async def _require_none(ends: Iterable[Awaitable[bool]]) -> None:
    if any(await asyncio.gather(*ends)):
        raise GatewayError(login_codes.TRANSACTION_GONE, "the person has signed out, or was signed out, since")
