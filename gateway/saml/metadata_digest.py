"""XML Signature 3.2 over a document in parts: the first part gives the digest that was signed, the last the check."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.signature import canonical, signed_digest

# Canonical XML 2.3: values stand in double quotes, and have none inside.
_TAG = re.compile(rb'<(?:[^">]|"[^"]*")*>')


@dataclass(frozen=True, slots=True)
class Part:
    """The root of a document with a run of its content.

    `begun`: how many elements, from the root down along the first children, began in an earlier part. `left_open`: how
    many, from the root down along the last children, go on in the next part.
    """

    root: etree._Element
    begun: int
    left_open: int


class MetadataDigest:
    """`first`: the part of the document with the signature (Metadata 2.3.1: before all members)."""

    def __init__(self, first: Part, keys: tuple[bytes, ...]) -> None:
        """`keys`: SubjectPublicKeyInfo (DER). Raises what `signed_digest` raises."""
        self._signed = signed_digest(first.root, keys)
        self._hash = hashlib.new(self._signed.hash)
        self._update(first, canonical(first.root, self._signed.prefixes, without=self._signed.signature))

    def add(self, part: Part) -> None:
        self._update(part, canonical(part.root, self._signed.prefixes))

    def check(self) -> None:
        """To be called after the last part. Raises GatewayError(saml_codes.SIGNATURE) if the digest differs."""
        if not hmac.compare_digest(self._hash.digest(), self._signed.value):
            raise GatewayError(saml_codes.SIGNATURE, "the document is not the one that was signed")

    def _update(self, part: Part, written: bytes) -> None:
        # Exclusive canonicalisation of an element depends on the elements around it, not on those beside it. So the
        # parts can be joined, if the tags of elements that are in several parts are written once.
        start, end = 0, len(written)
        for _ in range(part.begun):
            tag = _TAG.match(written, start)
            start = end if tag is None else tag.end()
        for _ in range(part.left_open):
            end = written.rindex(b"</", 0, end)
        self._hash.update(memoryview(written)[start:end])
