"""The credentials of a person at an application with accounts of its own."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.codes.code import Code
from gateway.model.session import Seat
from gateway.model.theme import Words


@dataclass(frozen=True, slots=True)
class Credential:
    """An account at an application. `secret`: its password, never in a representation of the value."""

    login: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoCredential:
    """No credentials are known for the person.

    `reason`: the code of the person's page.
    `detail`: for the operator.
    `shown`: as in GatewayError.
    """

    reason: Code
    detail: str = ""
    shown: Words = ""


class CredentialSource(Protocol):
    """The source of credentials: one trusted secret, or links of people to their accounts."""

    async def find(self, application: str, issuer: str, subject: str, seat: Seat) -> Credential | NoCredential:
        """The credentials of the person (`issuer`, `subject`).

        `application`: the name of the application.
        `seat`: the person's live seat at the application.
        Raises GatewayError if the source cannot answer: an outage is never a NoCredential (invariant 9).
        """
