"""What a message says of itself, before anything of it is believed: enough to know whose keys to verify it with."""

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
    """`name`: of the message, without its namespace. Anybody can have written any of it."""

    name: str
    issuer: str
    in_response_to: str | None


def read_unverified(document: Document) -> UnverifiedMessage:
    """GatewayError: SAML_ISSUER where it names nobody."""
    root = document.root
    issuer = entity_id_in(root.findtext(saml("Issuer")) or root.findtext(f"{saml('Assertion')}/{saml('Issuer')}")) or ""
    if not 0 < len(issuer) <= _LONGEST:
        raise GatewayError(SAML_ISSUER, "a message that does not say who sent it")
    return UnverifiedMessage(str(root.tag).rpartition("}")[2], issuer, root.get("InResponseTo"))
