"""Signatures that were moved: around, beside and into what they sign."""

import copy
from typing import Any

from lxml import etree

from gateway.model.codes import saml_codes
from tests.saml.forging import (
    Change,
    Forgery,
    add,
    after,
    before,
    put,
    signing,
    text,
    twice,
)
from tests.saml.idp import (
    DS,
    NS,
    SAML,
    SAMLP,
    Scene,
    assertion,
    bare_copy,
    build,
    evil_copy,
    one,
    sign,
    written,
)


def _target(root: etree._Element, of: str) -> etree._Element:
    return assertion(root) if of == "assertion" else root


def _swap(target: etree._Element, new: etree._Element) -> bytes:
    """`new` in the place of `target`; the whole document, written."""
    parent = target.getparent()
    if parent is None:
        return written(new)
    parent.replace(target, new)
    return written(parent.getroottree().getroot())


def xsw1(target: etree._Element) -> bytes:
    """Evil takes the place; the signature goes with it and holds the original."""
    signature, original, new = one(target, "ds:Signature"), bare_copy(target), evil_copy(target)
    signature = copy.deepcopy(signature)
    signature.append(original)
    new.insert(1, signature)
    return _swap(target, new)


def xsw2(target: etree._Element) -> bytes:
    """Evil takes the place; original and signature lie side by side in it."""
    signature, original, new = copy.deepcopy(one(target, "ds:Signature")), bare_copy(target), evil_copy(target)
    new.insert(1, signature)
    new.insert(1, original)
    return _swap(target, new)


def xsw3(target: etree._Element) -> bytes:
    """Evil before the original, which is whole."""
    parent = target.getparent()
    if parent is None:
        new = evil_copy(target)
        new.insert(0, copy.deepcopy(target))
        return written(new)
    target.addprevious(evil_copy(target))
    return written(target.getroottree().getroot())


def xsw4(target: etree._Element) -> bytes:
    """Evil around the original, which is whole."""
    new = evil_copy(target)
    new.append(copy.deepcopy(target))
    return _swap(target, new)


def xsw5(target: etree._Element) -> bytes:
    """The original is changed and keeps its signature; a bare copy of what it was stands at the end."""
    original = bare_copy(target)
    target.set("ID", "_evil")
    for name_id in target.iter(f"{{{SAML}}}NameID"):
        name_id.text = "admin"
    target.getroottree().getroot().append(original)
    return written(target.getroottree().getroot())


def xsw6(target: etree._Element) -> bytes:
    """As the fifth, with the copy in the signature."""
    original = bare_copy(target)
    target.set("ID", "_evil")
    for name_id in target.iter(f"{{{SAML}}}NameID"):
        name_id.text = "admin"
    one(target, "ds:Signature").append(original)
    return written(target.getroottree().getroot())


def xsw7(target: etree._Element) -> bytes:
    """The evil one, with its own copy of the ID, in Extensions, where anything may stand."""
    root = target.getroottree().getroot()
    extensions = etree.Element(f"{{{SAMLP}}}Extensions")
    extensions.append(copy.deepcopy(target) if target is root else evil_copy(target))
    root.insert(1, extensions)
    return written(root)


def xsw8(target: etree._Element) -> bytes:
    """The original in an Object of the signature that the evil one bears."""
    new, signature = evil_copy(target), copy.deepcopy(one(target, "ds:Signature"))
    holder = etree.SubElement(signature, f"{{{NS['ds']}}}Object")
    holder.append(bare_copy(target))
    new.insert(1, signature)
    return _swap(target, new)


XSW = {1: xsw1, 2: xsw2, 3: xsw3, 4: xsw4, 5: xsw5, 6: xsw6, 7: xsw7, 8: xsw8}


def _wrapping(number: int, of: str) -> Forgery:
    def change(root: etree._Element, scene: Scene) -> bytes:
        return XSW[number](_target(root, of))

    settings = {"signed": of}
    return Forgery(f"xsw{number}, {of}", "XS01", saml_codes.SHAPE, after(change, signed=of), settings)


WRAPPINGS = tuple(_wrapping(number, of) for number in XSW for of in ("assertion", "response"))


def _beside(path: str, of: str) -> Change:
    """The signed assertion is moved to where anything may stand, and an evil one takes its place."""

    def change(root: etree._Element, scene: Scene) -> None:
        original = assertion(root)
        original.addprevious(evil_copy(original))
        holder = root if path == "." else one(root, path)
        if of:
            tag = etree.fromstring(f'<x xmlns:a="{SAML}" xmlns:p="{SAMLP}" xmlns:ds="{NS["ds"]}"><{of}/></x>')[0]
            holder.append(tag)
            holder = tag
        holder.append(original)

    return change


def _in_key_info(root: etree._Element, scene: Scene) -> None:
    original = assertion(root)
    evil, signature, holder = evil_copy(original), one(root, "//ds:Signature"), etree.Element(f"{{{DS}}}KeyInfo")
    root.replace(original, evil)
    original.remove(signature)
    evil.insert(1, signature)
    signature.append(holder)
    holder.append(original)


def _donor(message: str) -> Any:
    """An evil assertion that bears the signature of something else that the provider signed."""

    def make(scene: Scene) -> bytes:
        donor = etree.fromstring(message)
        sign(donor, scene.key)
        root = build(scene)
        evil = evil_copy(assertion(root))
        evil.set("ID", donor.get("ID"))
        evil.insert(1, copy.deepcopy(one(donor, "ds:Signature")))
        root.replace(assertion(root), evil)
        return written(root)

    return make


def _metadata_donor() -> str:
    md = "urn:oasis:names:tc:SAML:2.0:metadata"
    return f'<md:EntityDescriptor xmlns:md="{md}" ID="_metadata-1" entityID="https://idp.metropole.example/metadata"/>'


def _message_donor(name: str) -> str:
    return f'<p:{name} xmlns:p="{SAMLP}" ID="_message-1" Version="2.0"/>'


def _root_is_the_assertion(scene: Scene) -> bytes:
    root = build(scene)
    sign(assertion(root), scene.key)
    return written(assertion(root))


def _two_responses(root: etree._Element, scene: Scene) -> bytes:
    return b"<x>" + written(root) * 2 + b"</x>"


def _nested_response(root: etree._Element, scene: Scene) -> None:
    inner = copy.deepcopy(root)
    inner.set("ID", "_inner")
    inner.remove(assertion(inner))
    root.append(inner)


MORE_WRAPPINGS = (
    Forgery("in StatusDetail", "XS02", saml_codes.SHAPE, after(_beside("//p:Status", "p:StatusDetail"))),
    Forgery("in Extensions", "XS02", saml_codes.SHAPE, after(_beside(".", "p:Extensions"))),
    Forgery("in an attribute's value", "XS02", saml_codes.SHAPE, after(_beside("(//a:AttributeValue)[1]", ""))),
    Forgery("in Advice", "XS02", saml_codes.SHAPE, after(_beside("(//a:Assertion)[1]", "a:Advice"))),
    Forgery("in EncryptedAssertion", "XS02", saml_codes.SHAPE, after(_beside(".", "a:EncryptedAssertion"))),
    Forgery("in KeyInfo", "XS02", saml_codes.SHAPE, after(_in_key_info)),
    Forgery(
        "in an Object of KeyInfo", "XS02", saml_codes.SHAPE, signing(key_info="<ds:KeyInfo><ds:Object/></ds:KeyInfo>")
    ),
    Forgery("nested Response", "XS02", saml_codes.SHAPE, after(_nested_response)),
    Forgery("two Responses", "XS02", saml_codes.SHAPE, after(_two_responses)),
    Forgery("the Assertion alone", "XS02", saml_codes.SHAPE, _root_is_the_assertion),
    Forgery("metadata as donor", "XS02, K135", saml_codes.SIGNATURE, _donor(_metadata_donor())),
    Forgery("AuthnRequest as donor", "XS02", saml_codes.SIGNATURE, _donor(_message_donor("AuthnRequest"))),
    Forgery("LogoutRequest as donor", "XS02", saml_codes.SIGNATURE, _donor(_message_donor("LogoutRequest"))),
    Forgery("a second assertion, signed too", "K136", saml_codes.SHAPE, after(twice("//a:Assertion"))),
    Forgery(
        "assertion and encrypted assertion",
        "K136",
        saml_codes.SHAPE,
        after(add("/p:Response", "<a:EncryptedAssertion/>")),
    ),
    Forgery("two Subjects", "K120, K149", saml_codes.SHAPE, before(twice("//a:Subject"))),
    Forgery("two NameIDs", "K149", saml_codes.SHAPE, before(twice("//a:Subject/a:NameID"))),
    Forgery("two Issuers", "K120", saml_codes.SHAPE, before(twice("//a:Assertion/a:Issuer"))),
    Forgery("two Conditions", "K120", saml_codes.SHAPE, before(twice("//a:Conditions"))),
    Forgery("two Statuses", "K120", saml_codes.SHAPE, after(twice("//p:Status"))),
    Forgery("an unknown child", "K120", saml_codes.SHAPE, before(add("//a:Assertion", '<b xmlns="u:b"/>'))),
    Forgery("an unknown attribute", "K120", saml_codes.SHAPE, before(put("//a:Assertion", "Trust", "full"))),
    Forgery("the wrong order", "K120", saml_codes.SHAPE, before(add("//a:Assertion", "<a:Issuer>x</a:Issuer>"))),
    Forgery(
        "a statement on authorisation",
        "K120",
        saml_codes.SHAPE,
        before(add("//a:Assertion", "<a:AuthzDecisionStatement/>")),
    ),
    Forgery("text between elements", "K120", saml_codes.SHAPE, before(text("//a:Subject", "admin"))),
)
