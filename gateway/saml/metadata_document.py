"""Metadata as verified trees: signed by a pinned key (Metadata 3), or given by the operator.

An aggregate has 100 MB, and 800 MB as a tree. We therefore read an aggregate in parts. A part is the root with its
open groups and a few members. A part is digested and read as one tree, and freed before the next part.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import InitVar, dataclass
from itertools import pairwise

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.metadata_digest import MetadataDigest, Part
from gateway.saml.metadata_limits import check_limits
from gateway.saml.names import md

LARGEST_ENTITY = 2 << 20
LARGEST_AGGREGATE = 160 << 20
# How much of an aggregate is held until a part can be cut off: two entities, and the piece in which the second ends.
LARGEST_PART = 3 * LARGEST_ENTITY
# A file of the operator comes in one piece, and is cut into pieces of this size.
_PIECE = 1 << 18

_ROOTS = (md("EntityDescriptor"), md("EntitiesDescriptor"))
# Metadata need neither, and each may make a parser see something else than what was signed. In text `<` is escaped, so
# no member of a federation can make its document unreadable by what it says of itself.
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")
_OVERLAP = max(map(len, _REFUSED)) - 1

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class MetadataPart:
    """The root of a document with some members, in their groups. Only `given` and `verified` make a part."""

    root: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a MetadataPart comes from given or verified alone")


def given(pieces: Iterable[bytes]) -> Iterator[MetadataPart]:
    """The parts, at least one, of a document for which the operator vouches. Raises
    GatewayError(saml_codes.METADATA)."""
    return (MetadataPart(part.root, _PROVEN) for part in _parts(pieces))


def verified(pieces: Iterable[bytes], keys: tuple[bytes, ...]) -> Iterator[MetadataPart]:
    """The parts, at least one, of a document that one of `keys` (SubjectPublicKeyInfo, DER) signed as a whole.

    The caller must use nothing from the parts before the iteration has ended without an error: the last part completes
    the digest that proves the signature. Raises GatewayError, with the first part or at the end: saml_codes.METADATA,
    saml_codes.METADATA_SIGNATURE, saml_codes.ALGORITHM, saml_codes.SHAPE, saml_codes.SIGNATURE_FORM.
    """
    try:
        digest = None
        for part in _parts(pieces):
            if digest is None:
                digest = MetadataDigest(part, keys)
            else:
                digest.add(part)
            yield MetadataPart(part.root, _PROVEN)
        if digest is not None:
            digest.check()
    except GatewayError as error:
        if error.code in (saml_codes.SIGNATURE_MISSING, saml_codes.SIGNATURE_KEY, saml_codes.SIGNATURE):
            raise GatewayError(saml_codes.METADATA_SIGNATURE, f"metadata: {error.detail}") from error
        raise


def _parts(pieces: Iterable[bytes]) -> Iterator[Part]:
    """Yields the complete members of the open groups, and the text behind the members. The last part is the rest."""
    parser, reader, begun, held = _parser(), _Reader(), 0, 0
    for piece in _allowed(pieces):
        held += len(piece)
        if held > LARGEST_PART:
            raise GatewayError(saml_codes.METADATA, f"metadata with an entity of over {LARGEST_ENTITY} bytes")
        for element, is_complete in _fed(parser, piece):
            if is_complete:
                reader.ended(element)
            else:
                reader.started(element)
        groups = reader.groups_to_cut()
        if groups is not None:
            check_limits(groups[0][0])
            yield Part(_taken(*groups), begun, len(groups[0]))
            begun, held = len(groups[0]), len(piece)
    root = _ended(parser)
    check_limits(root)
    yield Part(root, begun, 0)


class _Reader:
    """The open groups, and the last complete member with its groups."""

    def __init__(self) -> None:
        self._open: list[etree._Element] = []
        self._last: tuple[list[etree._Element], etree._Element] | None = None
        self._root: etree._Element | None = None

    def started(self, element: etree._Element) -> None:
        if self._root is None:
            self._root = _root(element)
        elif not self._is_member(element):
            return
        if element.tag == md("EntitiesDescriptor"):
            self._open.append(element)

    def ended(self, element: etree._Element) -> None:
        if self._open and element is self._open[-1]:
            self._open.pop()
        if self._is_member(element):
            self._last = list(self._open), element

    def groups_to_cut(self) -> tuple[list[etree._Element], etree._Element] | None:
        """The last member and its groups, if content before the member can be cut off."""
        last, self._last = self._last, None
        if last is None:
            return None
        groups, member = last
        stands_first = all(group[0] is child for group, child in pairwise([*groups, member]))
        return None if stands_first else last

    def _is_member(self, element: etree._Element) -> bool:
        """Whether this is a member of a group. An element in an extension can have the same name, and is none."""
        return bool(self._open) and element.getparent() is self._open[-1]


def _parser() -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end"),
        tag=_ROOTS,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        # Nothing is looked up by ID here, and a repeated xml:id does no harm.
        collect_ids=False,
        # Exclusive canonicalisation leaves comments out, so they are removed before they can split a value.
        remove_comments=True,
        # libxml2 refuses documents as large as an aggregate otherwise. The caller bounds the size.
        huge_tree=True,
    )


def _allowed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for piece in pieces:
        if any(refused in before + piece for refused in _REFUSED):
            raise GatewayError(saml_codes.METADATA, "metadata with a document type or an entity")
        before = (before + piece)[-_OVERLAP:]
        yield from (piece[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


def _fed(parser: etree.XMLPullParser, piece: bytes) -> list[tuple[etree._Element, bool]]:
    """Groups and entities that began or ended in this piece, in order, with a flag for an end."""
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
    return GatewayError(saml_codes.METADATA, f"metadata that are not well-formed XML: {str(error)[:200]}")


def _root(element: etree._Element) -> etree._Element:
    if element.tag not in _ROOTS or element.getparent() is not None:
        raise GatewayError(
            saml_codes.METADATA, "metadata that begin with neither EntityDescriptor nor EntitiesDescriptor"
        )
    return element


def _taken(groups: list[etree._Element], until: etree._Element) -> etree._Element:
    """The root with the content before `until`, removed from `groups`.

    The elements are copied: moving an element makes lxml drop repeated namespace declarations, whose prefixes are
    signed.
    """
    part = here = deepcopy(groups[0])
    for group, child in pairwise([*groups, until]):
        count = group.index(child)
        del group[:count]
        group.text = None
        if child is until:
            del here[count:]
        else:
            # An open group is the last child so far.
            here = here[count]
    return part
