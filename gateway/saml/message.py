"""What all messages that we write have in common (Core 3.2.1, 3.2.2)."""

from lxml import etree

from gateway.saml.names import SAML, SAMLP, saml, samlp
from gateway.saml.times import instant

_PREFIXES = {"samlp": SAMLP, "saml": SAML}


def new_message(name: str, *, id: str, now: float, issuer: str, destination: str) -> etree._Element:
    """A message with its Issuer. `id`: an NCName of at least 128 random bits (Core 1.3.4); `now`: Unix seconds."""
    message = etree.Element(
        samlp(name),
        {"ID": id, "Version": "2.0", "IssueInstant": instant(now), "Destination": destination},
        nsmap=_PREFIXES,
    )
    add(message, saml("Issuer"), issuer)
    return message


def add(parent: etree._Element, name: str, text: str | None = None, **attributes: str | None) -> etree._Element:
    """Add a child. Attributes that are None are left out. lxml escapes text, and refuses what XML cannot hold."""
    child = etree.SubElement(parent, name, {key: value for key, value in attributes.items() if value is not None})
    child.text = text
    return child


def written(message: etree._Element) -> bytes:
    """The message in UTF-8, without an XML declaration, so that it can be put into another document."""
    return etree.tostring(message, encoding="UTF-8", xml_declaration=False)
