"""Responses that must not sign anybody in: each with the code that refuses it, and the line of attacks.md it is of.

A case is told where it plays (`Scene`), so the same table is tried on the pure core and on the whole gateway. What a
case needs beside the usual provider file stands in `settings`; `asked` says what was asked for.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lxml import etree

from gateway.model.codes.code import Code
from tests.saml.idp import (
    NS,
    Scene,
    assertion,
    build,
    one,
    sign,
    written,
)

Change = Callable[[etree._Element, Scene], object]


@dataclass(frozen=True)
class Forgery:
    """`asked`: an answer to our request, one that nobody asked for, or to one that asked for more."""

    id: str
    line: str
    code: Code
    make: Callable[[Scene], bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    asked: Literal["usual", "nothing", "fresh", "strong", "at least"] = "usual"


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
