"""Responses that must not sign anybody in: each with the code that refuses it, and the line of attacks.md it is of.

A case is told where it plays (`Scene`), so the same table is tried on the pure core and on the whole gateway. What a
case needs beside the usual provider file stands in `settings`; `asked` says what was asked for.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lxml import etree

from gateway.model import codes
from gateway.model.codes import Code
from tests.saml.idp import NS, SAML, SAMLP, Scene, assertion, bare_copy, build, evil_copy, one, sign, written

Change = Callable[[etree._Element, Scene], object]


@dataclass(frozen=True)
class Forgery:
    """`asked`: an answer to our request, one that nobody asked for, or to one that asked for more."""

    id: str
    line: str
    code: Code
    make: Callable[[Scene], bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: Literal["usual", "nothing", "fresh", "strong"] = "usual"


def before(change: Change, *, signed: str = "assertion", shape: str = "shibboleth", **values: object) -> Any:
    """The provider itself sends this: changed, then signed."""

    def make(scene: Scene) -> bytes:
        root = build(scene.but(**values), shape)
        change(root, scene)
        _sign(root, scene, signed)
        return written(root)

    return make


def after(change: Change, *, signed: str = "assertion", shape: str = "shibboleth", **values: object) -> Any:
    """Somebody else changes what the provider signed."""

    def make(scene: Scene) -> bytes:
        root = build(scene.but(**values), shape)
        _sign(root, scene, signed)
        changed = change(root, scene)
        return changed if isinstance(changed, bytes) else written(root)

    return make


def saying(**values: object) -> Any:
    """The provider itself sends these values, signed."""
    return before(lambda root, scene: None, **values)


def signing(**how: Any) -> Any:
    """The assertion, signed in another way."""

    def make(scene: Scene) -> bytes:
        root = build(scene)
        sign(assertion(root), scene.key, **how)
        return written(root)

    return make


def _sign(root: etree._Element, scene: Scene, signed: str) -> None:
    if signed in ("assertion", "both"):
        sign(assertion(root), scene.key)
    if signed in ("response", "both"):
        sign(root, scene.key)


def remove(path: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        found = one(root, path)
        found.getparent().remove(found)

    return change


def put(path: str, name: str, value: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        one(root, path).set(name, value)

    return change


def text(path: str, value: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        one(root, path).text = value

    return change


def add(path: str, xml: str, at: int | None = None) -> Change:
    """`xml`: a child, with the prefixes of the scene."""

    def change(root: etree._Element, scene: Scene) -> None:
        parent = one(root, path)
        declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NS.items())
        child = etree.fromstring(f"<x {declared}>{xml}</x>")[0]
        parent.insert(len(parent) if at is None else at, child)

    return change


def twice(path: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        found = one(root, path)
        found.addnext(copy.deepcopy(found))

    return change


def replaced(old: str, new: str) -> Change:
    """In the written bytes, once."""

    def change(root: etree._Element, scene: Scene) -> bytes:
        document = written(root).decode()
        assert old in document, old
        return document.replace(old, new, 1).encode()

    return change


def both(*changes: Change) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        for each in changes:
            each(root, scene)

    return change


# --- wrapping ---------------------------------------------------------------------------------------------------------


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
    return Forgery(f"xsw{number}, {of}", "XS01", codes.SAML_SHAPE, after(change, signed=of), settings)


WRAPPINGS = tuple(_wrapping(number, of) for number in XSW for of in ("assertion", "response"))
