"""With what a person is signed in at an application that has accounts of its own."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.codes.code import Code
from gateway.model.session import Seat
from gateway.model.theme import Words


@dataclass(frozen=True, slots=True)
class Credential:
    """An account at an application. `secret`: its password; no representation of this value shows it."""

    login: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoCredential:
    """Nothing is known with which this person could be signed in. `reason`: the code of the page that the person gets;
    `detail`: for the operator; `shown`: as GatewayError has it."""

    reason: Code
    detail: str = ""
    shown: Words = ""


class CredentialSource(Protocol):
    """Where credentials come from: one trusted secret, or links of persons to their accounts."""

    async def find(self, application: str, issuer: str, subject: str, seat: Seat) -> Credential | NoCredential:
        """Of the person (`issuer`, `subject`) at `application`, by its name. `seat`: the person's live seat there.
        Raises GatewayError where it cannot be found out, which is never a NoCredential (invariant 9)."""
