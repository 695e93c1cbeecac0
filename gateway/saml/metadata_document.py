"""Metadata as trees that may be believed: signed by a pinned key (Metadata 3), or given by the operator.

An aggregate has 100 MB, and eight times that as a tree. So it comes in parts: its root again and again, each time with
other members. A part is digested and read as one and the same tree, and gone when the next one comes.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
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
from gateway.saml.metadata_digest import MetadataDigest
from gateway.saml.names import md

LARGEST_ENTITY = 2 << 20
LARGEST_AGGREGATE = 160 << 20

_ROOTS = (md("EntityDescriptor"), md("EntitiesDescriptor"))
# Neither has any business in metadata, and each may make a parser see something else than what was signed. In text `<`
# is escaped, so that no member of a federation spoils its document by what it writes of itself.
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")
_OVERLAP = max(map(len, _REFUSED)) - 1

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class MetadataPart:
    """The root of a document with some of its members. Only `given` and `verified` make one."""

    root: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a MetadataPart comes from given or verified alone")


def given(pieces: Iterable[bytes]) -> Iterator[MetadataPart]:
    """What the operator vouches for; at least one part. GatewayError(SAML_METADATA)."""
    return (MetadataPart(root, _PROVEN) for root in _parts(pieces))


def verified(pieces: Iterable[bytes], keys: tuple[bytes, ...]) -> Iterator[MetadataPart]:
    """Under the signature of one of `keys` (SubjectPublicKeyInfo, DER) over the whole; at least one part.

    What was made of them may be believed once this has ended, and by who has taken them all: only then is it known that
    the document is the one that was signed. GatewayError, from the first part on or at the end: SAML_METADATA,
    SAML_METADATA_SIGNATURE, SAML_ALGORITHM, SAML_SHAPE, SAML_SIGNATURE_FORM.
    """
    try:
        digest = None
        for root in _parts(pieces):
            if digest is None:
                digest = MetadataDigest(root, keys)
            else:
                digest.add(root)
            yield MetadataPart(root, _PROVEN)
        if digest is not None:
            digest.check()
    except GatewayError as error:
        if error.code in (SAML_SIGNATURE_MISSING, SAML_SIGNATURE_KEY, SAML_SIGNATURE):
            raise GatewayError(SAML_METADATA_SIGNATURE, f"metadata: {error.detail}") from error
        raise


def _parts(pieces: Iterable[bytes]) -> Iterator[etree._Element]:
    """Each time: the root with those members that are complete, and whose following text is. At last, the rest."""
    parser, root = _parser(), None
    for piece in _allowed(pieces):
        last = None
        for element, is_complete in _fed(parser, piece):
            if root is None:
                root = _root(element)
            elif is_complete and element.getparent() is root:
                last = element
        if root is not None and last is not None and root[0] is not last:
            yield _taken(root, last)
    yield _ended(parser)


def _parser() -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end"),
        tag=_ROOTS,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        # Nothing is found by an ID here, and two of one xml:id are no matter.
        collect_ids=False,
        # Exclusive canonicalization leaves comments out of what is signed, and here they split no value.
        remove_comments=True,
        # Only then may an aggregate be as large as it is. Its size is bounded by who feeds it.
        huge_tree=True,
    )


def _allowed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for piece in pieces:
        if any(refused in before + piece for refused in _REFUSED):
            raise GatewayError(SAML_METADATA, "metadata with a document type or an entity")
        before = (before + piece)[-_OVERLAP:]
        yield piece


def _fed(parser: etree.XMLPullParser, piece: bytes) -> list[tuple[etree._Element, bool]]:
    """Groups and entities that begin and end, in order; whether they are complete."""
    try:
        parser.feed(piece)
        events = list(parser.read_events())
        return [(element, event == "end") for event, element in events if isinstance(element, etree._Element)]
    except (etree.LxmlError, ValueError) as error:
        raise _malformed(error) from error


def _ended(parser: etree.XMLPullParser) -> etree._Element:
    try:
        return _root(parser.close())
    except (etree.LxmlError, ValueError) as error:
        raise _malformed(error) from error


def _malformed(error: Exception) -> GatewayError:
    return GatewayError(SAML_METADATA, f"metadata that are not well-formed XML: {str(error)[:200]}")


def _root(element: etree._Element) -> etree._Element:
    if element.tag not in _ROOTS or element.getparent() is not None:
        raise GatewayError(SAML_METADATA, "metadata that begin with neither EntityDescriptor nor EntitiesDescriptor")
    return element


def _taken(root: etree._Element, until: etree._Element) -> etree._Element:
    """Copied, not moved: lxml takes from a moved element what it declares anew, and so prefixes that are signed."""
    part, count = deepcopy(root), root.index(until)
    del part[count:]
    del root[:count]
    root.text = None
    return part
