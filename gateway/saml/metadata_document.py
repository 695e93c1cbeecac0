"""Metadata as trees that may be believed: signed by a pinned key (Metadata 3), or given by the operator.

An aggregate has 100 MB, and eight times that as a tree. So it comes in parts: its root and the groups in it that are
open again and again, each time with other members. A part is digested and read as one and the same tree, and gone when
the next one comes.
"""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import InitVar, dataclass
from itertools import pairwise

from lxml import etree

from gateway.model.codes import (
    SAML_METADATA,
    SAML_METADATA_SIGNATURE,
    SAML_SIGNATURE,
    SAML_SIGNATURE_KEY,
    SAML_SIGNATURE_MISSING,
)
from gateway.model.errors import GatewayError
from gateway.saml.metadata_digest import MetadataDigest, Part
from gateway.saml.metadata_limits import check_limits
from gateway.saml.names import md

LARGEST_ENTITY = 2 << 20
LARGEST_AGGREGATE = 160 << 20
# What is held of an aggregate until a part can be cut off: two entities, and the piece that the second ends in.
LARGEST_PART = 3 * LARGEST_ENTITY
# A file of the operator's comes whole.
_PIECE = 1 << 18

_ROOTS = (md("EntityDescriptor"), md("EntitiesDescriptor"))
# Neither has any business in metadata, and each may make a parser see something else than what was signed. In text `<`
# is escaped, so that no member of a federation spoils its document by what it writes of itself.
_REFUSED = (b"<!DOCTYPE", b"<!ENTITY")
_OVERLAP = max(map(len, _REFUSED)) - 1

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class MetadataPart:
    """The root of a document with some of its members, in their groups. Only `given` and `verified` make one."""

    root: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a MetadataPart comes from given or verified alone")


def given(pieces: Iterable[bytes]) -> Iterator[MetadataPart]:
    """What the operator vouches for; at least one part. GatewayError(SAML_METADATA)."""
    return (MetadataPart(part.root, _PROVEN) for part in _parts(pieces))


def verified(pieces: Iterable[bytes], keys: tuple[bytes, ...]) -> Iterator[MetadataPart]:
    """Under the signature of one of `keys` (SubjectPublicKeyInfo, DER) over the whole; at least one part.

    What was made of them may be believed once this has ended, and by who has taken them all: only then is it known that
    the document is the one that was signed. GatewayError, from the first part on or at the end: SAML_METADATA,
    SAML_METADATA_SIGNATURE, SAML_ALGORITHM, SAML_SHAPE, SAML_SIGNATURE_FORM.
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
        if error.code in (SAML_SIGNATURE_MISSING, SAML_SIGNATURE_KEY, SAML_SIGNATURE):
            raise GatewayError(SAML_METADATA_SIGNATURE, f"metadata: {error.detail}") from error
        raise


def _parts(pieces: Iterable[bytes]) -> Iterator[Part]:
    """Each time those members, of any group, that are complete, and whose following text is. At last, the rest."""
    parser, reader, begun, held = _parser(), _Reader(), 0, 0
    for piece in _allowed(pieces):
        held += len(piece)
        if held > LARGEST_PART:
            raise GatewayError(SAML_METADATA, f"metadata with an entity of over {LARGEST_ENTITY} bytes")
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
    """Which groups are open, and the member that ended last, with those that it is in."""

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
        """Where something stands before the last member, it and its groups."""
        last, self._last = self._last, None
        if last is None:
            return None
        groups, member = last
        stands_first = all(group[0] is child for group, child in pairwise([*groups, member]))
        return None if stands_first else last

    def _is_member(self, element: etree._Element) -> bool:
        """Not what an extension holds, and only looks like one."""
        return bool(self._open) and element.getparent() is self._open[-1]


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
        yield from (piece[start : start + _PIECE] for start in range(0, len(piece), _PIECE))


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


def _taken(groups: list[etree._Element], until: etree._Element) -> etree._Element:
    """Copied, not moved: lxml takes from a moved element what it declares anew, and so prefixes that are signed."""
    part = here = deepcopy(groups[0])
    for group, child in pairwise([*groups, until]):
        count = group.index(child)
        del group[:count]
        group.text = None
        if child is until:
            del here[count:]
        else:
            # Nothing stands after a group that is open.
            here = here[count]
    return part
