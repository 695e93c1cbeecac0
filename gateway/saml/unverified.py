"""What we read of a message before its signature is verified: the issuer, which chooses the keys to verify with."""

from dataclasses import dataclass

from gateway.model.codes import SAML_ISSUER
from gateway.model.errors import GatewayError
from gateway.saml.document import Document
from gateway.saml.names import saml
from gateway.saml.parties import entity_id_in

# Core 8.3.6
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class UnverifiedMessage:
    """`name`: the root element's, without its namespace. Nothing of this is verified: any sender can write it."""

    name: str
    issuer: str
    in_response_to: str | None


def read_unverified(document: Document) -> UnverifiedMessage:
    """Read the unverified issuer. Raises GatewayError(SAML_ISSUER) where the message names none."""
    root = document.root
    issuer = entity_id_in(root.findtext(saml("Issuer")) or root.findtext(f"{saml('Assertion')}/{saml('Issuer')}")) or ""
    if not 0 < len(issuer) <= _LONGEST:
        raise GatewayError(SAML_ISSUER, "a message that does not say who sent it")
    return UnverifiedMessage(str(root.tag).rpartition("}")[2], issuer, root.get("InResponseTo"))
