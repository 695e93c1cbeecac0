"""Applications with a login form, at which the gateway signs people in."""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Problem
from gateway.lint.subject import Subject

# Many applications lock an account at the fifth wrong password.
_USUAL_LOCK: Final = 5


def no_expiry(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        form = app.model.form_login
        if form is not None and not form.expired:
            say = "when the application ends its session before ours, people see its login form, and have no password"
            yield app.at("form_login", say=say, write="expired: [{location: /login.php}]", key=True)


def many_tries(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        form = app.model.form_login
        if form is not None and form.tries >= _USUAL_LOCK:
            say = f"many applications lock an account at the {_USUAL_LOCK}th sign-in that fails"
            yield app.at("form_login", "tries", say=say, write="tries: 3, or fewer than its own limit")
