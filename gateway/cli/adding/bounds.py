"""Asks for the perimeter of a new provider: the operator alone knows the limits."""

from argparse import Namespace
from collections.abc import Callable, Sequence

from gateway.cli.questions import NotWritten, Prompts
from gateway.config.draft.provider import AssertedBounds
from gateway.identity.perimeter import is_siret
from gateway.model.mail import mail_domain

_FLAGS = "--email-domain DOMAIN, --siret NUMBER or --scope SCOPE (each can be repeated), or --no-perimeter"
_ABOUT = """\
What may this provider assert? A sign-in that asserts another value is refused, however well it is signed.
Separate several with commas. Answer `any` where there shall be no limit."""


def ask_bounds(told: Namespace, questions: Prompts, *, has_tenant: bool, scopes: Sequence[str] = ()) -> AssertedBounds:
    """`has_tenant`: the provider names the organisation for which a person acts. `scopes`: from the metadata.

    Raises NotWritten for a wrong flag.
    """
    given = (told.siret, told.email_domain, told.scope)
    if told.no_perimeter and any(given):
        raise NotWritten("--no-perimeter and a perimeter contradict each other: leave one out")
    for flag, values, wrong in (
        ("--siret", told.siret, wrong_siret),
        ("--email-domain", told.email_domain, wrong_domain),
        ("--scope", told.scope, wrong_domain),
    ):
        _refuse_wrong(flag, values, wrong)
    if told.no_perimeter:
        return AssertedBounds()
    if any(given):
        return AssertedBounds(tuple(told.siret) or None, tuple(told.email_domain) or None, tuple(told.scope) or None)
    if not questions.asks:
        questions.miss(_FLAGS)
        return AssertedBounds()
    questions.say()
    questions.say(_ABOUT)
    hint = f" (its metadata name {', '.join(scopes)})" if scopes else ""
    domains = questions.some(f"Domains of e-mail addresses{hint}", "", wrong_domain)
    siret = questions.some("SIRETs of its organisations", "", wrong_siret) if has_tenant else None
    return AssertedBounds(siret, domains, None)


def wrong_siret(text: str) -> str:
    return "" if is_siret(text) else f"{text} is not a SIRET: 14 digits with their check digit"


def wrong_domain(text: str) -> str:
    return (
        "" if mail_domain(f"a@{text}") == text else f"{text} is not a domain: write it as ville.example, in lower case"
    )


def _refuse_wrong(flag: str, values: Sequence[str], wrong: Callable[[str], str]) -> None:
    for value in values:
        if why := wrong(value):
            raise NotWritten(f"{flag}: {why}")
