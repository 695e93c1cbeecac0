"""Metadata as a tree that may be believed: signed by a pinned key (Metadata 3), or given by the operator.

An aggregate has 100 MB. So there is one tree and no canonical copy of it: what would make the tree differ from what was
signed (comments, entities, a second meaning of an ID) is taken out or refused when it is parsed.
"""

from collections.abc import Iterable
from dataclasses import InitVar, dataclass

from lxml import etree

from gateway.model.codes import (
    SAML_METADATA,
    SAML_METADATA_SIGNATURE,
    SAML_SIGNATURE,
    SAML_SIGNATURE_KEY,
    SAML_SIGNATURE_MISSING,
)
from gateway.model.errors import GatewayError
from gateway.saml.names import md
from gateway.saml.signature import verify_in_place

LARGEST_ENTITY = 2 << 20
LARGEST_AGGREGATE = 160 << 20

_ROOTS = (md("EntityDescriptor"), md("EntitiesDescriptor"))
# Neither has any business in metadata, and each may make a parser see something else than what was signed.
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY", b"xml:id")
_OVERLAP = max(map(len, _REFUSED)) - 1

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """Only `given` and `verified` make one."""

    root: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a MetadataDocument comes from given or verified alone")


def given(pieces: Iterable[bytes]) -> MetadataDocument:
    """What the operator vouches for. GatewayError(SAML_METADATA)."""
    return MetadataDocument(_tree(pieces), _PROVEN)


def verified(pieces: Iterable[bytes], keys: tuple[bytes, ...]) -> MetadataDocument:
    """Whole, under the signature of one of `keys` (SubjectPublicKeyInfo, DER) over its root.

    GatewayError: SAML_METADATA, SAML_METADATA_SIGNATURE, SAML_ALGORITHM, SAML_SHAPE, SAML_SIGNATURE_FORM.
    """
    root = _tree(pieces)
    try:
        verify_in_place(root, keys)
    except GatewayError as error:
        if error.code in (SAML_SIGNATURE_MISSING, SAML_SIGNATURE_KEY, SAML_SIGNATURE):
            raise GatewayError(SAML_METADATA_SIGNATURE, f"metadata: {error.detail}") from error
        raise
    return MetadataDocument(root, _PROVEN)


def _tree(pieces: Iterable[bytes]) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        # Exclusive canonicalization leaves comments out of what is signed, and here they split no value.
        remove_comments=True,
        # Only then may an aggregate be as large as it is. Its size is bounded by who feeds it.
        huge_tree=True,
    )
    before = b""
    try:
        for piece in pieces:
            if any(refused in before + piece for refused in _REFUSED):
                raise GatewayError(SAML_METADATA, "metadata with a document type, an entity or an xml:id")
            before = piece[-_OVERLAP:]
            parser.feed(piece)
        root = parser.close()
    except (etree.LxmlError, ValueError) as error:
        raise GatewayError(SAML_METADATA, f"metadata that are not well-formed XML: {str(error)[:200]}") from error
    if root.tag not in _ROOTS:
        raise GatewayError(SAML_METADATA, "metadata that begin with neither EntityDescriptor nor EntitiesDescriptor")
    return root
