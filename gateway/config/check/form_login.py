"""Checks the login form of an app file against itself and the rest of the file."""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Path, Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.form_login import FormLoginSection
from gateway.config.schema.scalars import Wrong
from gateway.config.yaml.reader import YamlDocument
from gateway.model.names import fold

_AT: Final[Path] = ("form_login",)
SECRET: Final[Path] = (*_AT, "trusted", "secret")


def check_secret(section: FormLoginSection, content: bytes) -> None:
    """Raises Wrong, without the value."""
    try:
        text = content.decode()
        text.encode("cp1252" if section.encoding == "latin1" else "utf-8")
    except UnicodeError:
        raise Wrong(f"this password is not in letters that {section.encoding} has") from None
    if not text.isprintable():
        raise Wrong("a password is one line, without control characters")


def check_form_login(
    document: YamlDocument, model: AppFile, section: FormLoginSection, *, forgets: bool
) -> Iterator[Problem]:
    """`forgets`: the store loses its record of failed sign-ins at each start."""
    if forgets:
        message = "type: memory forgets at each start what has failed, and an account could be locked"
        yield document.problem(_AT, message, "gateway.yaml: store: {type: sqlite, ...}", key=True)
    if section.trusted is None and model.account is None:
        hint = "add trusted: {from: ..., secret: ...}, or account: where each person has a link with a secret"
        yield document.problem(_AT, "nothing says with which account people are signed in", hint, key=True)
    if model.translate.basic is not None:
        message = "people are signed in at the form already, and what a sign-in there sends has no Authorization"
        yield document.problem(("translate", "basic"), message, "leave translate.basic out, or form_login", key=True)
    yield from _steps(document, section)
    yield from _marks(document, section)
    if section.check is not None and section.check in [step.page for step in section.steps]:
        message = "this page has the form, and is shown to whoever is not signed in"
        yield document.problem((*_AT, "check"), message, "write check: a page for signed-in people alone")
    yield from _cookies(document, model, section)
    if model.upstream.others:
        message = "the session of a sign-in is at one address, where the person's next request may not go"
        hint = "leave others out, or put a balancer of its own before the application"
        yield document.problem(("upstream", "others"), message, hint, key=True)
    if model.api is not None:
        message = "a program has no session in which one of the application's could be kept"
        yield document.problem(("api",), message, "leave api out, or form_login", key=True)


def _steps(document: YamlDocument, section: FormLoginSection) -> Iterator[Problem]:
    first = section.steps[0]
    if first.page is None:
        yield document.problem((*_AT, "steps", 0), "it is not said where the form is", "write page: /login.php")
    held = [holds for step in section.steps for holds in step.fields.values()]
    for needed in ("login", "secret"):
        if needed not in held:
            message = f"no field of these steps is the {needed}"
            yield document.problem((*_AT, "steps"), message, f"fields: {{name: {needed}}}", key=True)
        elif held.count(needed) > 1 and needed == "secret":
            yield document.problem((*_AT, "steps"), "the secret is sent twice", "one field of one step", key=True)


def _marks(document: YamlDocument, section: FormLoginSection) -> Iterator[Problem]:
    """Refuses an answer with two meanings."""
    for word in ("refused", "expired"):
        for index, mark in enumerate(getattr(section, word)):
            if word == "refused" and mark in section.signed_in:
                place = document.place((*_AT, "signed_in", section.signed_in.index(mark)))
                message = "an answer of this kind means that the person is signed in, too"
                yield document.problem((*_AT, word, index), message, others=(("and", place),))


def _cookies(document: YamlDocument, model: AppFile, section: FormLoginSection) -> Iterator[Problem]:
    told = {fold(one.name.encode()): one.name for one in model.translate.told if one.kind == "cookies"}
    own = {fold(name.encode()) for name in (*model.cookies.hidden, *model.cookies.visible)}
    seen: set[str] = set()
    for index, name in enumerate(section.cookies):
        path = (*_AT, "cookies", index)
        if (other := told.get(fold(name.encode()))) is not None:
            yield document.problem(path, f"a server may read this as {other} of translate", "keep one of the two")
        elif fold(name.encode()) in own:
            yield document.problem(
                path, "cookies names it too, and the session's are kept already", "leave it out there"
            )
        elif name in seen:
            yield document.problem(path, "this cookie is named twice")
        seen.add(name)
