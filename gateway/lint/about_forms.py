"""Applications with a login form, at which the gateway signs people in."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.lint.subject import Of, Subject

# Many applications lock an account at the fifth wrong password.
_USUAL_LOCK: Final = 5
_WITH_DOMAIN: Final = ("mail", "email", "upn")


def no_expiry(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        form = app.model.form_login
        if form is not None and not form.expired:
            say = "if the application ends its session first, people see its login form, and have no password"
            yield app.at("form_login", say=say, write="expired: [{location: /login.php}]", key=True)


def no_check(subject: Subject) -> Iterator[Problem]:
    """Form logins without a check of the result. `refused` alone does not suffice: an application may refuse in
    unlisted words."""
    for app in subject.apps:
        form = app.model.form_login
        if form is not None and form.check is None:
            say = "a refusal that looks like a success counts as a success here, and as a failure in the application"
            yield app.at("form_login", say=say, write="check: a page for signed-in people only", key=True)


def many_tries(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        form = app.model.form_login
        if form is not None and form.tries >= _USUAL_LOCK:
            say = f"many applications lock an account at the {_USUAL_LOCK}th sign-in that fails"
            yield app.at("form_login", "tries", say=say, write="tries: 3, or fewer than its own limit")


def counted_by_two(subject: Subject) -> Iterator[Problem]:
    """Skips two files with `counted_with`: their authors chose the counts of failed sign-ins."""
    for app, other in combinations(subject.apps, 2):
        forms = app.model.form_login, other.model.form_login
        if forms[0] is None or forms[1] is None or None not in (forms[0].counted_with, forms[1].counted_with):
            continue
        there, too = app.model.upstream, other.model.upstream
        if (there.url.origin, there.socket) == (too.url.origin, too.socket) and _base(subject, app) != _base(
            subject, other
        ):
            say = f"{other.model.app} signs in at the same server, and tries are not counted together"
            yield app.at("form_login", say=say, write="counted_with: one name, in both files or one for each", key=True)


def domains_of_mail(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        form = app.model.form_login
        trusted = None if form is None else form.trusted
        if form is None or trusted is None or trusted.source not in _WITH_DOMAIN or "domain" in form.counted_apart:
            continue
        say = "accueil@ville-a.example and accueil@ville-b.example are counted as one account"
        yield app.at("form_login", say=say, write="counted_apart: [domain], if they are two accounts", key=True)


def _base(subject: Subject, app: Of[AppFile]) -> str:
    form = subject.snapshot.apps[app.model.app].form_login
    return "" if form is None else form.base
