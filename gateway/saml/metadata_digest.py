"""XML Signature 3.2 over a document in parts: which digest was signed by whom first, whether it has that one last."""

import hashlib
import hmac
import re
from dataclasses import dataclass

from lxml import etree

from gateway.model.codes import SAML_SIGNATURE
from gateway.model.errors import GatewayError
from gateway.saml.signature import canonical, signed_digest

# Canonical XML 2.3: values stand in double quotes, and have none inside.
_TAG = re.compile(rb'<(?:[^">]|"[^"]*")*>')


@dataclass(frozen=True, slots=True)
class Part:
    """The root with a run of what is in the document, down to any depth.

    `begun`: how many elements, from the root down the first children, began in an earlier part; `left_open`: how many,
    down the last children, go on in the next.
    """

    root: etree._Element
    begun: int
    left_open: int


class MetadataDigest:
    """`first`: the part of the document that its signature stands in (Metadata 2.3.1: before all members)."""

    def __init__(self, first: Part, keys: tuple[bytes, ...]) -> None:
        """`keys`: SubjectPublicKeyInfo (DER). GatewayError as `signed_digest`."""
        self._signed = signed_digest(first.root, keys)
        self._hash = hashlib.new(self._signed.hash)
        self._update(first, canonical(first.root, self._signed.prefixes, without=self._signed.signature))

    def add(self, part: Part) -> None:
        self._update(part, canonical(part.root, self._signed.prefixes))

    def check(self) -> None:
        """GatewayError(SAML_SIGNATURE)."""
        if not hmac.compare_digest(self._hash.digest(), self._signed.value):
            raise GatewayError(SAML_SIGNATURE, "the document is not the one that was signed")

    def _update(self, part: Part, written: bytes) -> None:
        # Exclusive canonicalisation writes each element as it would be in the whole: that depends on those around it,
        # not on those beside it. So of the elements that are in several parts one tag each is left away.
        start, end = 0, len(written)
        for _ in range(part.begun):
            tag = _TAG.match(written, start)
            start = end if tag is None else tag.end()
        for _ in range(part.left_open):
            end = written.rindex(b"</", 0, end)
        self._hash.update(memoryview(written)[start:end])
