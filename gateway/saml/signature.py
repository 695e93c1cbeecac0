"""XML Signature: verifies that a provider signed an element, and returns the element exactly as signed.

The rest of the code never reads the received document. The code reads a tree made from the bytes whose digest a key of
the provider's metadata signed. A signature wrapping attack gains nothing: unsigned content is not in this tree.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import InitVar, dataclass

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.algorithms import (
    CANONICALISATION,
    DIGESTS,
    ENVELOPED_SIGNATURE,
    SIGNATURES,
    is_made_by_one_of,
    key_type,
)
from gateway.saml.bindings import SignedMessage
from gateway.saml.decryption import Decrypted
from gateway.saml.document import parse, parse_canonical
from gateway.saml.message_schema import LOGOUT_MESSAGES, check_element, check_message
from gateway.saml.names import EXC_C14N, ds
from gateway.saml.parties import IdpMetadata

# 50,000 prefixes over 5,000 elements, in one unsigned message of 220 KB, took 13 s. OpenSAML lists those that are used
# in values and in no name, which are one or two.
MOST_PREFIXES = 32

# Inclusive canonicalisation compares the namespaces in scope pairwise for each element: 1,024 namespaces over 15,000
# elements, in 80 KB, took 46 s. 32 take 0.05 s; real messages have ten.
MOST_IN_SCOPE_INCLUSIVE = 32

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class SignedElement:
    """An element, parsed from the bytes that the provider signed. Only this module makes a SignedElement."""

    element: etree._Element
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a SignedElement comes from verify, redirected or within alone")


@dataclass(frozen=True, slots=True)
class SignedDigest:
    """A digest that a provider signed.

    `hash`: the name of the digest algorithm.
    `prefixes`: the PrefixList of the exclusive canonicalisation; None: inclusive canonicalisation.
    `signature`: the element that the digest leaves out.
    """

    hash: str
    value: bytes
    prefixes: list[str] | None
    signature: etree._Element


def signature_of(element: etree._Element) -> etree._Element | None:
    """The signature of the element: a direct child of the element (Core 5.4.1)."""
    return next(element.iterchildren(ds("Signature")), None)


def verify(element: etree._Element, metadata: IdpMetadata) -> SignedElement:
    """The element as a key of the provider's metadata signed it. Call `check_message` before.

    Raises GatewayError: saml_codes.SIGNATURE_MISSING, saml_codes.ALGORITHM, saml_codes.SIGNATURE_FORM,
    saml_codes.SIGNATURE_KEY or saml_codes.SIGNATURE. The last two may mean that the provider has changed its keys.
    """
    signed = _signed(_present(element), element, metadata.signing_keys)
    octets = canonical(element, signed.prefixes, without=signed.signature)
    if not hmac.compare_digest(hashlib.new(signed.hash, octets).digest(), signed.value):
        raise GatewayError(saml_codes.SIGNATURE, "the digest does not match the bytes that would be read")
    return SignedElement(parse_canonical(octets), _PROVEN)


def signed_digest(element: etree._Element, signing_keys: tuple[bytes, ...]) -> SignedDigest:
    """The digest that one of the keys signed for `element`. Used for metadata, which are read in parts.

    `signing_keys`: SubjectPublicKeyInfo (DER). Raises as `verify`, and saml_codes.SHAPE for a malformed Signature.
    """
    signature = _present(element)
    # A processing instruction would cut a value short. Messages can have none; of metadata, only this part is read
    # before the digest is checked.
    if next(signature.iter(etree.ProcessingInstruction), None) is not None:
        raise GatewayError(saml_codes.SIGNATURE_FORM, f"the signature of {_name(element)} has a processing instruction")
    check_element(signature)
    return _signed(signature, element, signing_keys)


def redirected(message: SignedMessage, *, digit_ids: bool = False) -> SignedElement:
    """A message signed in the query string (Bindings 3.4.4.1). The message has no enveloped signature.

    `digit_ids`: see `check_message`. Raises as `parse` and `check_message`.
    """
    root = parse(message.message).root
    check_message(root, *LOGOUT_MESSAGES, digit_ids=digit_ids)
    if signature_of(root) is not None:
        raise GatewayError(saml_codes.SIGNATURE_FORM, f"{_name(root)} by redirect with an enveloped signature")
    return SignedElement(root, _PROVEN)


def within(signed: SignedElement, part: etree._Element | Decrypted) -> SignedElement:
    """A part of a signed element, in clear or decrypted. Raises GatewayError(saml_codes.SIGNATURE_MISSING) if it is
    none."""
    place = part.encrypted if isinstance(part, Decrypted) else part
    element = part.element if isinstance(part, Decrypted) else part
    if signed.element not in place.iterancestors():
        raise GatewayError(saml_codes.SIGNATURE_MISSING, f"{_name(element)} is outside the signed part")
    return SignedElement(element, _PROVEN)


def _signed(signature: etree._Element, element: etree._Element, signing_keys: tuple[bytes, ...]) -> SignedDigest:
    """Validate the signature (XML Signature 3.2.2) before the reference (3.2.1): for a sender without a key, we
    canonicalise nothing but the SignedInfo."""
    info = _part(signature, "SignedInfo")
    algorithm, hash = _check_algorithms(info)
    prefixes = _check_reference(info, element)
    # Metadata 2.4.1.1: the provider may have used any of its signing keys. KeyInfo is an unverified hint, and ignored.
    kind = SIGNATURES[algorithm]
    keys = tuple(key for key in signing_keys if key_type(key) == kind)
    if not keys:
        raise GatewayError(saml_codes.SIGNATURE_KEY, f"the metadata has no {kind} key that is accepted")
    octets = canonical(info, _prefixes(_part(info, "CanonicalizationMethod")))
    if not is_made_by_one_of(keys, algorithm, octets, _binary(_part(signature, "SignatureValue"))):
        raise GatewayError(saml_codes.SIGNATURE, f"{_name(element)} is signed by none of the {len(keys)} keys that fit")
    return SignedDigest(hash, _binary(_part(_part(info, "Reference"), "DigestValue")), prefixes, signature)


def _present(element: etree._Element) -> etree._Element:
    signature = signature_of(element)
    if signature is None:
        raise GatewayError(saml_codes.SIGNATURE_MISSING, f"{_name(element)} is not signed")
    return signature


def _check_algorithms(info: etree._Element) -> tuple[str, str]:
    """The signature and digest algorithms (XML Signature 4.4), whose identifiers the message schema leaves open."""
    signature = _part(info, "SignatureMethod").get("Algorithm", "")
    if signature not in SIGNATURES:
        raise GatewayError(saml_codes.ALGORITHM, "the SignatureMethod is not accepted")
    c14n = _part(info, "CanonicalizationMethod")
    if c14n.get("Algorithm") != CANONICALISATION:
        raise GatewayError(saml_codes.ALGORITHM, "the CanonicalizationMethod is not accepted")
    _prefixes(c14n)
    hash = DIGESTS.get(_part(_part(info, "Reference"), "DigestMethod").get("Algorithm", ""))
    if hash is None:
        raise GatewayError(saml_codes.ALGORITHM, "the DigestMethod is not accepted")
    transforms = [transform.get("Algorithm") for transform in info.iter(ds("Transform"))]
    # Core 5.4.4: the enveloped-signature transform, then exclusive canonicalisation or nothing
    if transforms not in ([ENVELOPED_SIGNATURE, CANONICALISATION], [ENVELOPED_SIGNATURE]):
        detail = "the Transforms are not enveloped-signature, alone or with exclusive c14n after it"
        raise GatewayError(saml_codes.ALGORITHM, detail)
    return signature, hash


def _check_reference(info: etree._Element, element: etree._Element) -> list[str] | None:
    """Checks that the one Reference points to the parent. Returns the PrefixList of the exclusive canonicalisation, or
    None for inclusive canonicalisation."""
    reference = _part(info, "Reference")
    identifier = element.get("ID")
    # Core 5.4.2
    if not identifier or reference.get("URI") != f"#{identifier}":
        raise GatewayError(
            saml_codes.SIGNATURE_FORM, f"the signature's Reference is not to its parent {_name(element)}"
        )
    enveloped, *others = reference.iter(ds("Transform"))
    if len(enveloped):
        raise GatewayError(saml_codes.SIGNATURE_FORM, "the enveloped-signature transform has parameters")
    # XML Signature 4.4.3.2: where no transform says more, the digest is over Canonical XML 1.0; 4.4.3.3: references
    # to `#ID` leave comments out
    return _prefixes(others[0]) if others else None


def _part(element: etree._Element, name: str) -> etree._Element:
    found = next(element.iterchildren(ds(name)), None)
    if found is None:
        raise GatewayError(saml_codes.SIGNATURE_FORM, f"a signature without {name}")
    return found


def _prefixes(method: etree._Element) -> list[str]:
    """The PrefixList (XML Exclusive Canonicalization 3), bounded: libxml2 walks the list for each element."""
    inclusive = next(method.iterchildren(f"{{{EXC_C14N}}}InclusiveNamespaces"), None)
    prefixes = [] if inclusive is None else inclusive.get("PrefixList", "").split()
    if len(prefixes) > MOST_PREFIXES:
        raise GatewayError(saml_codes.SIGNATURE_FORM, f"a PrefixList of {len(prefixes)} prefixes, not {MOST_PREFIXES}")
    return prefixes


def _binary(element: etree._Element) -> bytes:
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except ValueError as error:
        raise GatewayError(saml_codes.SIGNATURE_FORM, "a DigestValue or SignatureValue that is not base64") from error


def canonical(element: etree._Element, prefixes: list[str] | None, *, without: etree._Element | None = None) -> bytes:
    """The exclusive canonical form, or the inclusive form if `prefixes` is None; without comments.

    `without`: the enveloped signature, left out. Raises GatewayError(saml_codes.SIGNATURE_FORM).
    """
    with nullcontext() if without is None else _taken_out(without, element):
        try:
            if prefixes is None:
                return _inclusive(element)
            return etree.tostring(
                element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes
            )
        except etree.LxmlError as error:
            raise GatewayError(saml_codes.SIGNATURE_FORM, f"{_name(element)} has no canonical form") from error


def _inclusive(element: etree._Element) -> bytes:
    """Canonical XML 1.0 2.3: with the namespaces declared around the element.

    lxml writes these namespaces in plain output, but not in canonical output. Inclusive canonicalisation also inherits
    `xml:` attributes, which the schema forbids.
    """
    _check_scope(element)
    alone = parse_canonical(etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False))
    return etree.tostring(alone, method="c14n", exclusive=False, with_comments=False)


def _check_scope(element: etree._Element) -> None:
    parent = element.getparent()
    in_scope = 0 if parent is None else len(parent.nsmap)
    for event, _ in etree.iterwalk(element, events=("start-ns", "end-ns")):
        in_scope += 1 if event == "start-ns" else -1
        if in_scope > MOST_IN_SCOPE_INCLUSIVE:
            most = f"{MOST_IN_SCOPE_INCLUSIVE} namespaces in scope, where no exclusive canonicalisation is named"
            raise GatewayError(saml_codes.SIGNATURE_FORM, f"{_name(element)} has over {most}")


@contextmanager
def _taken_out(signature: etree._Element, element: etree._Element) -> Iterator[None]:
    """The enveloped-signature transform (XML Signature 6.6.4). The text around the signature stays."""
    index, before, tail = element.index(signature), signature.getprevious(), signature.tail
    text = element.text if before is None else before.tail
    joined = (text or "") + (tail or "")
    element.remove(signature)
    if before is None:
        element.text = joined
    else:
        before.tail = joined
    try:
        yield
    finally:
        if before is None:
            element.text = text
        else:
            before.tail = text
        element.insert(index, signature)
        signature.tail = tail


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname
