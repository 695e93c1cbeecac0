"""XML Signature 3.2 over a document in parts: which digest was signed by whom first, whether it has that one last."""

import hashlib
import hmac
from copy import deepcopy

from lxml import etree

from gateway.model.codes import SAML_SIGNATURE
from gateway.model.errors import GatewayError
from gateway.saml.signature import canonical, signed_digest


class MetadataDigest:
    """`first`: the part of the document that its signature stands in (Metadata 2.3.1: before all members)."""

    def __init__(self, first: etree._Element, keys: tuple[bytes, ...]) -> None:
        """`keys`: SubjectPublicKeyInfo (DER). GatewayError as `signed_digest`."""
        self._signed = signed_digest(first, keys)
        written = self._canonical(first, self._signed.signature)
        self._end = written[written.rindex(b"</") :]
        self._start: int | None = None
        self._hash = hashlib.new(self._signed.hash, memoryview(written)[: -len(self._end)])

    def add(self, part: etree._Element) -> None:
        # Exclusive canonicalisation writes every part within the same two tags, and of a member what it would be in the
        # whole: that depends on the elements around it, not on those beside it.
        if self._start is None:
            self._start = len(self._canonical(_childless(part))) - len(self._end)
        self._hash.update(memoryview(self._canonical(part))[self._start : -len(self._end)])

    def check(self) -> None:
        """GatewayError(SAML_SIGNATURE)."""
        self._hash.update(self._end)
        if not hmac.compare_digest(self._hash.digest(), self._signed.value):
            raise GatewayError(SAML_SIGNATURE, "the document is not the one that was signed")

    def _canonical(self, part: etree._Element, signature: etree._Element | None = None) -> bytes:
        return canonical(part, self._signed.prefixes, without=signature)


def _childless(root: etree._Element) -> etree._Element:
    """A copy, with its attributes and prefixes, and nothing in it."""
    empty = deepcopy(root)
    del empty[:]
    empty.text = None
    return empty
