"""What is tried on a signature whose one transform is enveloped-signature, so that the inclusive form is digested."""

from typing import Any

from lxml import etree

from gateway.model.codes import saml_codes
from tests.saml.forged_wrapping import XSW
from tests.saml.forging import Change, Forgery, add, put, text
from tests.saml.idp import Scene, assertion, build, one, sign_enveloped_alone, written


def _signed(change: Change, of: str = "assertion") -> Any:
    def make(scene: Scene) -> bytes:
        root = build(scene)
        sign_enveloped_alone(assertion(root) if of == "assertion" else root, scene.key)
        changed = change(root, scene)
        return changed if isinstance(changed, bytes) else written(root)

    return make


def _wrapped(number: int, of: str) -> Forgery:
    def change(root: etree._Element, scene: Scene) -> bytes:
        return XSW[number](assertion(root) if of == "assertion" else root)

    id = f"xsw{number}, {of}, enveloped alone"
    return Forgery(id, "XS01", saml_codes.SHAPE, _signed(change, of), {"signed": of})


def _declared_around(root: etree._Element, scene: Scene) -> bytes:
    """The assertion is the same, and its inclusive form is not: what is around it is signed with it."""
    return written(root).replace(b":Response ", b':Response xmlns:evil="urn:evil" ', 1)


def _many_namespaces(root: etree._Element, scene: Scene) -> bytes:
    """120 of them in scope of 10,000 elements: the Signature is genuine, and what it is over is looked at last."""
    names, more = (" ".join(f'xmlns:{letter}{n}="urn:{n}"' for n in range(60)) for letter in "nm")
    value = one(root, "(//a:AttributeValue)[1]")
    value.clear()
    value.append(etree.fromstring(f'<x xmlns="urn:x" {names}><x {more}>{"<y/>" * 10_000}</x></x>'))
    return written(root)


def _comment_in(path: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        found = one(root, path)
        value = found.text or ""
        found.text, comment = value[:3], etree.Comment("x")
        comment.tail = value[3:]
        found.insert(0, comment)

    return change


ENVELOPED_ALONE = (
    *(_wrapped(number, of) for number in XSW for of in ("assertion", "response")),
    Forgery(
        "a changed name, enveloped alone",
        "XS04",
        saml_codes.SIGNATURE,
        _signed(text("//a:Subject/a:NameID", "admin")),
    ),
    Forgery("a namespace around it, enveloped alone", "XS05", saml_codes.SIGNATURE, _signed(_declared_around)),
    Forgery(
        "a language around it, enveloped alone",
        "XS05",
        saml_codes.SHAPE,
        _signed(put("/p:Response", "{http://www.w3.org/XML/1998/namespace}lang", "fr")),
    ),
    Forgery(
        "a comment in NameID, enveloped alone",
        "XS03",
        saml_codes.DOCUMENT,
        _signed(_comment_in("//a:Subject/a:NameID")),
    ),
    Forgery("120 namespaces in scope, enveloped alone", "XS22", saml_codes.SIGNATURE_FORM, _signed(_many_namespaces)),
    Forgery(
        "a parameter of the transform, enveloped alone",
        "XS05",
        saml_codes.SHAPE,
        _signed(add("//ds:Transform", "<ds:XPath>1</ds:XPath>")),
    ),
)
