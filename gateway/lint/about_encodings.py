"""Rules about encodings: texts with letters beyond ASCII, and the encoding that the application reads."""

from collections.abc import Iterator
from typing import Final

from gateway.config.check.tokens import BASIC
from gateway.config.check.translate import names_used
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.translate import InjectedAt, InjectedHeaderSection, InjectedSection, TransformSection
from gateway.lint.subject import Of, Subject
from gateway.model.errors import GatewayError
from gateway.translation.charset import LACKING
from gateway.translation.specs import parse_template

_NAMES: Final = frozenset({
    "name", "family_name", "given_name", "display_name", "common_name", "cn", "sn", "surname", "usual_name", "title",
    "organization", "organisation", "service",
})  # fmt: skip


def name_without_encoding(subject: Subject) -> Iterator[Problem]:
    """Of names, and of every text of the file itself that a header or a cookie may carry."""
    for app in subject.apps:
        for told in app.model.translate.told_anywhere:
            if "encoding" not in told.injected.model_fields_set:
                for what in (*_names(told.injected), *_fixed(subject, app, told))[:1]:
                    say = f"{what} has accents, and an old application rarely reads UTF-8 in a header"
                    write = "write the encoding that it reads: latin1, percent-utf8, base64 or utf8"
                    yield app.at(*told.at, key=True, say=say, write=write)
        basic = app.model.translate.basic
        if basic is not None and "encoding" not in basic.model_fields_set:
            account = basic.account
            of_account = account.source in _NAMES or not (account.value or "").isascii()
            password = subject.material.get((app.path, (*BASIC, "password")), b"")
            if of_account or not password.isascii():
                what = "account" if of_account else "password"
                say = f"the {what} has accents, and an old application rarely reads UTF-8 in HTTP Basic"
                yield app.at(*BASIC, key=True, say=say, write="write the encoding that it reads: latin1 or utf8")


def free_text_refused(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for told in app.model.translate.told_anywhere:
            injected = told.injected
            if injected.encoding in LACKING and injected.unencodable == "refuse":
                _, lacking = LACKING[injected.encoding]
                for name in _names(injected)[:1]:
                    say = f"a person with a letter in {name} that {lacking} lacks is refused: `Lebœuf`, `Dvořák`"
                    write = "unencodable: transliterate, or an encoding that has every letter"
                    yield app.at(*told.at, key=True, say=say, write=write)


def _names(injected: InjectedSection) -> list[str]:
    return [name for name in names_used(injected) if name in _NAMES]


def _fixed(subject: Subject, app: Of[AppFile], told: InjectedAt) -> Iterator[str]:
    """The keys of the file whose text is not ASCII, and may be sent."""
    injected = told.injected
    texts = {"template": _literal(injected.template or ""), "absent": injected.absent or ""}
    if isinstance(injected, InjectedHeaderSection):
        texts["nobody"] = injected.nobody or ""
    texts["only"] = "".join(injected.only or ())
    texts["transforms"] = "".join(_made(one) for one in injected.transforms if isinstance(one, TransformSection))
    yield from (f"the text of `{key}`" for key, text in texts.items() if not text.isascii())
    value = injected.value
    if value is not None:
        elsewhere = subject.material.get((app.path, (*told.at, "value")), b"")
        text = value.name.encode() if value.kind == "inline" else elsewhere
        yield from () if text.isascii() else ("the text of `value`",)


def _literal(template: str) -> str:
    """The text around the names. `check` reports a wrong template."""
    try:
        return "".join(parse_template(template).parts[::2])
    except GatewayError:
        return ""


def _made(transform: TransformSection) -> str:
    """The text that a transform adds to a value, or puts in place of a value."""
    return "".join((transform.prefix or "", transform.date or "", *(transform.table or {}).values()))
