"""Parses bytes into a tree that can be read in one way only. Every SAML message is parsed here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.names import saml

# The size of a message, decoded. The largest real one that we have seen (Entra ID, 150 groups, encrypted) has 60 KB.
MOST_BYTES = 256 * 1024
DEEPEST = 32
MOST_NODES = 20_000
# libxml2 sorts the attributes of an element in quadratic time when it canonicalises: 24,000 of them took 1.2 s.
MOST_ATTRIBUTES = 64
# Namespaces declared by one element. The largest aggregates declare about 20 on their root.
MOST_NAMESPACES = 64
# Namespaces in scope for one element, each of which a canonicaliser looks at for each element. Messages have ten, the
# largest aggregates 30.
MOST_IN_SCOPE = 128
# Exclusive canonicalisation repeats a namespace on each element that uses it: 167 KB came to 900 MB, in 4 s.
LONGEST_NAMESPACE = 256

_MARK = b"\xef\xbb\xbf"
_DECLARATION = re.compile(rb"<\?xml[ \t\r\n][^>]*\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_VERSION = re.compile(rb"""version\s*=\s*["']1\.0["']""")
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!-~]+")
# XML Namespaces 3: NCName
_NCNAME = re.compile(r"[^\W\d][\w.\-]*")
_EVENTS = ("start", "end", "start-ns", "end-ns", "comment", "pi")
_ID_NAMES = frozenset({"ID", "Id", "id", "iD"})


@dataclass(frozen=True, slots=True)
class Document:
    """A well-formed and bounded tree. The author is not verified yet. `octets`: the parsed bytes."""

    root: etree._Element
    octets: bytes = field(repr=False)


def parse(
    document: bytes, *, max_bytes: int = MOST_BYTES, max_depth: int = DEEPEST, max_nodes: int = MOST_NODES
) -> Document:
    """Parse UTF-8 without a DTD, entities, processing instructions, or comments inside values.

    Raises GatewayError(saml_codes.DOCUMENT), and nothing else whatever the bytes are.
    """
    if len(document) > max_bytes:
        raise _refused(f"has {len(document)} bytes, at most {max_bytes} are read")
    root = _tree(_plain_utf8(document))
    _check_nodes(root, max_depth, max_nodes)
    return Document(root, document)


def parse_canonical(octets: bytes) -> etree._Element:
    """Parse the canonical form of a Document or of a part of it, whose content `parse` has checked before."""
    return _tree(octets)


def check_ids(*roots: etree._Element, digits: bool = False) -> None:
    """Checks that an ID, in any spelling of the attribute, names one element in the given trees together.

    `digits`: allow IDs that begin with a digit, which no NCName does. Raises GatewayError(saml_codes.ID).
    """
    # Core 1.3.4, XML Schema 3.3.8: unique in the document, an NCName
    seen: set[str] = set()
    for root in roots:
        for identifier in _ids(root):
            if identifier in seen:
                raise GatewayError(saml_codes.ID, "one ID names two elements")
            if not is_ncname(identifier) and not (digits and is_ncname(f"_{identifier}") and identifier[:1].isdigit()):
                hint = "; `ids_begin_with_a_digit: true` would accept it" if identifier[:1].isdigit() else ""
                raise GatewayError(saml_codes.ID, f"an ID that is no NCName{hint}")
            seen.add(identifier)


def is_ncname(text: str) -> bool:
    return len(text) <= 256 and _NCNAME.fullmatch(text) is not None


def _ids(root: etree._Element) -> Iterator[str]:
    for element in root.iter("*"):
        for name in map(str, element.keys()):
            # Looked at twice: hardly any name ends like an ID.
            if name[-2:] in _ID_NAMES and name.rpartition("}")[2] in _ID_NAMES:
                yield element.get(name, "")


def _plain_utf8(document: bytes) -> bytes:
    """The document without byte order mark and XML declaration, which may only say `1.0` and `UTF-8`."""
    text = document.removeprefix(_MARK)
    declaration = _DECLARATION.match(text)
    if declaration:
        encoding = _ENCODING.search(declaration[0])
        if encoding and encoding[1].upper() not in (b"UTF-8", b"US-ASCII"):
            raise _refused("declares an encoding that is not UTF-8")
        if not _VERSION.search(declaration[0]):
            raise _refused("declares a version of XML that is not 1.0")
        text = text[declaration.end() :]
    # libxml2 skips a second mark as well, and would then obey any declaration that follows it.
    if text.startswith((b"<?xml", _MARK)):
        raise _refused("has an XML declaration that does not read as one")
    # A DTD is refused before a parser sees it. In text `<` is escaped, and comments and CDATA have no need of this.
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise _refused("has a document type declaration")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("is not UTF-8") from error
    return text


def _tree(text: bytes) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        recover=False,
    )
    try:
        return etree.fromstring(text, parser)
    except (etree.LxmlError, ValueError) as error:
        raise _refused("is not well-formed XML") from error


def _check_nodes(root: etree._Element, max_depth: int, max_nodes: int) -> None:
    depth = nodes = declared = in_scope = 0
    # Each element is looked at once. Once for each comment in it, 8,000 comments in 56 KB took 6 s.
    commented: set[etree._Element] = set()
    for event, item in etree.iterwalk(root.getroottree(), events=_EVENTS):
        if event == "end":
            depth -= 1
            continue
        if event == "end-ns":
            in_scope -= 1
            continue
        nodes += 1
        if event == "start":
            depth += 1
            declared = 0
            attributes = len(item.attrib)
            nodes += attributes
            if attributes > MOST_ATTRIBUTES:
                raise _refused(f"has an element with {attributes} attributes, over {MOST_ATTRIBUTES}")
        elif event == "start-ns":
            declared += 1
            in_scope += 1
            _check_namespace(item[1])
            if declared > MOST_NAMESPACES or in_scope > MOST_IN_SCOPE:
                most = f"{MOST_NAMESPACES} namespaces, or that has over {MOST_IN_SCOPE} in scope"
                raise _refused(f"has an element that declares over {most}")
        elif event == "pi":
            raise _refused("has a processing instruction")
        elif (parent := item.getparent()) is not None:
            commented.add(parent)
        if depth > max_depth or nodes > max_nodes:
            raise _refused(f"is deeper than {max_depth} elements, or over {max_nodes} nodes")
    if any(map(_holds_a_value, commented)):
        raise _refused("has a comment inside a value")


def _check_namespace(uri: str) -> None:
    # Canonical XML 1.3: canonicalisation fails on relative namespace URIs, and a failure might pass for empty output.
    if uri and not _ABSOLUTE_URI.fullmatch(uri):
        raise _refused("declares a namespace that is no absolute URI")
    if len(uri) > LONGEST_NAMESPACE:
        raise _refused(f"declares a namespace of {len(uri)} characters, over {LONGEST_NAMESPACE}")


def _holds_a_value(element: etree._Element) -> bool:
    texts = (element.text, *(child.tail for child in element))
    return next(element.iterchildren("*"), None) is None or any(text and not text.isspace() for text in texts)


def _refused(detail: str) -> GatewayError:
    return GatewayError(saml_codes.DOCUMENT, f"the document {detail}")


# --- what is read before the signature is verified

# Core 8.3.6
_LONGEST_ISSUER = 1024
# XML 2.3: S
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class UnverifiedMessage:
    """Unverified: any sender can write these values. `name`: of the root element, without the namespace."""

    name: str
    issuer: str
    in_response_to: str | None


def read_unverified(document: Document) -> UnverifiedMessage:
    """Read the unverified issuer. Raises GatewayError(saml_codes.ISSUER) where the message names none."""
    root = document.root
    issuer = entity_id_in(root.findtext(saml("Issuer")) or root.findtext(f"{saml('Assertion')}/{saml('Issuer')}")) or ""
    if not 0 < len(issuer) <= _LONGEST_ISSUER:
        raise GatewayError(saml_codes.ISSUER, "a message that does not say who sent it")
    return UnverifiedMessage(str(root.tag).rpartition("}")[2], issuer, root.get("InResponseTo"))


def entity_id_in(issuer: str | None) -> str | None:
    """The entityID in the text of an Issuer. Some providers indent their messages, and white space around a URI is no
    part of it (Core 2.2.5, 8.3.6, XML Schema 2 3.2.17, 4.3.6)."""
    return None if issuer is None else issuer.strip(_SPACE)
