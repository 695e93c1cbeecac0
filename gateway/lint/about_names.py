"""Rules about the name by which an application identifies a person: can two people have the same name?"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from gateway.config.check.tokens import BASIC, ticket_sections, token_sections
from gateway.config.check.translate import names_used
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.lint.subject import Of, Subject
from gateway.policy.conditions import GROUPS
from gateway.translation.charset import LACKING
from gateway.translation.specs import Digest, Extract, Lookup, Prefix, Split, Transform, parse_template

_NAMES: Final = frozenset({"uid", "mail", "email", "login", "subject"})
_COMPARED: Final = _NAMES | {GROUPS}
_WHOSE: Final = frozenset({"provider", "issuer"})


def compared_and_transliterated(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        for told in app.model.translate.told_anywhere:
            injected = told.injected
            replaced = injected.unencodable == "transliterate" and injected.encoding in LACKING
            if replaced and not _is_made_of_ascii(injected.compiled_transforms()):
                for name in [name for name in names_used(injected) if name in _COMPARED][:1]:
                    say = f"two people may become one: {name} is compared, and letters are replaced"
                    yield app.at(*told.at, "unencodable", say=say, write="unencodable: refuse")


def _is_made_of_ascii(transforms: Sequence[Transform]) -> bool:
    """Whether no letter of the value itself is left to be replaced."""
    ascii_alone = False
    for one in transforms:
        match one:
            case Digest():
                ascii_alone = True
            case Lookup(table, otherwise):
                ascii_alone = all(map(str.isascii, table.values())) and (ascii_alone or otherwise != "keep")
            case Prefix(text):
                ascii_alone = ascii_alone and text.isascii()
    return ascii_alone


def subject_of_two_providers(subject: Subject) -> Iterator[Problem]:
    for app in _of_several(subject):
        translate, say = (
            app.model.translate,
            "two providers may have people with the same subject, who become one person here",
        )
        if not _tells_whose(app):
            for told in translate.told_anywhere:
                if "subject" in names_used(told.injected):
                    yield app.at(*told.at, key=True, say=say, write="tell provider or issuer too")
        for path, token in token_sections(translate):
            sources = {claim.source for claim in token.claims.values()}
            sources |= set() if "sub" in token.claims else {"subject"}
            if "subject" in sources and not sources & _WHOSE:
                yield app.at(*path, key=True, say=say, write="claims: {provider: {from: provider}}")
        for path, ticket in ticket_sections(translate):
            if ticket.account.source == "subject":
                yield app.at(*path, "account", say=say, write="an attribute that is unique")
        if translate.basic is not None and translate.basic.account.source == "subject":
            yield app.at(*BASIC, "account", say=say, write="an attribute that is unique")


def part_of_a_name(subject: Subject) -> Iterator[Problem]:
    for app in _of_several(subject):
        for told in () if _tells_whose(app) else app.model.translate.told_anywhere:
            cut = any(isinstance(one, Extract | Split) for one in told.injected.compiled_transforms())
            if cut and told.injected.source in _NAMES:
                say = f"of {told.injected.source} a part is told, which people of two providers may share"
                yield app.at(*told.at, "transforms", say=say, write="tell the whole, or provider or issuer too")


def filled_alike(subject: Subject) -> Iterator[Problem]:
    for app in _of_several(subject):
        listed = subject.snapshot.apps[app.model.app].listed
        for told in app.model.translate.told_anywhere:
            template = told.injected.template
            parts = () if template is None or not names_used(told.injected) else parse_template(template).parts
            for name, values in (("provider", list(listed)), ("issuer", [one.issuer for one in listed.values()])):
                if name in parts[1::2] and len(parts) > 3 and _run_together(parts, parts.index(name, 1), values):
                    say = f"people of two providers may get the same text from {name} and the text beside it"
                    yield app.at(*told.at, "template", say=say, write='template: "{provider}:{subject}"')


def _run_together(parts: Sequence[str], at: int, values: Sequence[str]) -> bool:
    """Whether a value of the name at index `at`, with the text that ends the value, begins or ends another value. The
    name beside it could then be longer or shorter by the difference."""
    first, last = at == 1, at == len(parts) - 2
    if not first and not last:
        # Any text may precede or follow.
        return True
    bounded = sorted({value + parts[at + 1] if first else (parts[at - 1] + value)[::-1] for value in values})
    return any(other.startswith(one) for one, other in pairwise(bounded))


def _of_several(subject: Subject) -> Iterator[Of[AppFile]]:
    """Applications with people of several issuers, whose subjects are separate."""
    for app in subject.apps:
        if len({one.issuer for one in subject.snapshot.apps[app.model.app].listed.values()}) > 1:
            yield app


def _tells_whose(app: Of[AppFile]) -> bool:
    """On every path."""
    by_path = app.model.translate.by_path
    return all(any(_WHOSE.intersection(names_used(one.injected)) for one in told) for told in by_path)
