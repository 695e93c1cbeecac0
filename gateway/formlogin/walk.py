"""A sign-in at an application's form, from the page to the session: a generator that yields requests and receives
responses.

Credentials are sent only to a path that the application's file lists.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from gateway.formlogin.addresses import ApplicationOrigins, path_of
from gateway.formlogin.cookies import SignInCookies
from gateway.formlogin.marks import is_redirect, meets_any
from gateway.formlogin.pages import UNREADABLE, FoundPage, find_form, holds_field, is_readable
from gateway.formlogin.spec import ApplicationSession, FormLogin, FormStep
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted, unechoed

_LONGEST_QUERY: Final = 2000


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A request to the application.

    `body`: the fields of a form, urlencoded; None: the request is a GET.
    `cookies`: the value of the Cookie line.
    `page`: the target of the page with the form."""

    target: str
    body: bytes | None = field(default=None, repr=False)
    cookies: bytes = field(default=b"", repr=False)
    page: str = ""


@dataclass(frozen=True, slots=True)
class FormResponse:
    """An answer of the application. `location`: as received; None if absent."""

    status: int
    body: bytes = field(default=b"", repr=False)
    location: str | None = None
    set_cookies: tuple[bytes, ...] = field(default=(), repr=False)


FormWalk = Generator[FormRequest, FormResponse, ApplicationSession]


def sign_in(form: FormLogin, credential: Credential, origins: ApplicationOrigins, now: float) -> FormWalk:
    """`now`: Unix seconds. Raises GatewayError: form_login_codes.FORM, _ELSEWHERE, _ANSWER, _REFUSED, _ACCOUNT,
    _LOOP."""
    try:
        jar = SignInCookies(origins.hosts, secure=origins.is_secure, now=now)
        response: FormResponse | None = None
        for number, step in enumerate(form.steps, 1):
            asked = step.page or ""
            if step.page is not None:
                if response is not None:
                    _check_way(response, origins, asked, step.page)
                response = yield FormRequest(step.page, cookies=jar.line(step.page))
                jar.take(response.set_cookies, step.page)
            elif number > 1:
                asked = form.steps[number - 2].action
            assert response is not None
            found = form_of(response, step, form, origins, asked)
            target = action_of(found, step, origins, asked)
            response = yield FormRequest(target, _body(found, step, credential, form), jar.line(target), asked)
            jar.take(response.set_cookies, target)
            if number < len(form.steps):
                _check_taken(response, form, number, origins, target)
        assert response is not None
        _check_signed_in(response, form, origins, form.steps[-1].action)
        cookies = jar.session(form.cookies)
        if not cookies:
            raise GatewayError(
                form_login_codes.ANSWER, f"it signed in, but set none of its cookies: {', '.join(form.cookies)}"
            )
        if form.check is not None:
            # With what a request of the person will carry, and no more.
            response = yield FormRequest(form.check, cookies=cookies)
            check_shown(response, form, origins, form.check)
            jar.take(response.set_cookies, form.check)
            cookies = jar.session(form.cookies)
            if not cookies:
                raise GatewayError(form_login_codes.LOOP, f"{path_of(form.check)} takes the session's cookies back")
        return ApplicationSession(form.fingerprint, credential.login, cookies)
    except GatewayError as error:
        # The next page's form, and where an answer leads, may repeat what was sent.
        raise unechoed(error, (credential.secret,)) from None


def form_of(
    response: FormResponse, step: FormStep, form: FormLogin, origins: ApplicationOrigins, asked: str
) -> FoundPage:
    """The form in the answer to `asked`. Raises GatewayError."""
    if is_redirect(response.status):
        raise _led(response, origins, asked)
    if response.status >= 500:
        raise GatewayError(form_login_codes.ANSWER, f"status {response.status} for the page with the form")
    if response.status != 200:
        raise GatewayError(form_login_codes.FORM, f"status {response.status} for the page with the form")
    return find_form(response.body, step, form.charset)


def action_of(found: FoundPage, step: FormStep, origins: ApplicationOrigins, asked: str) -> str:
    """The target of the form. Raises GatewayError(form_login_codes.ELSEWHERE) if the target is not the application's
    path in its file.
    """
    page = origins.public + asked
    base = page
    if found.base is not None and found.form.action.strip():
        if origins.target(found.base, page) is None:
            raise GatewayError(form_login_codes.ELSEWHERE, f"the page's base is {quoted(found.base)}")
        base = origins.resolve(found.base, page) or page
    target = origins.target(found.form.action, base)
    if target is None or path_of(target) != step.action or len(target) > _LONGEST_QUERY:
        raise GatewayError(
            form_login_codes.ELSEWHERE,
            f"the form is sent to {quoted(found.form.action)}, and the file lists {step.action}",
        )
    return target


def check_shown(response: FormResponse, form: FormLogin, origins: ApplicationOrigins, page: str) -> None:
    """Checks that `response` shows `page`, which is for signed-in people only. A refusal may look like a success, but
    then the application does not show `page`. Raises GatewayError: form_login_codes.LOOP, _REFUSED, _ELSEWHERE,
    _ANSWER."""
    status, target, path = response.status, _target_of(response, origins, page), path_of(page)
    if meets_any(form.expired, status, target, response.body, form.charset):
        raise GatewayError(
            form_login_codes.LOOP, f"by `expired`, {path} says that the session has ended: status {status}"
        )
    if meets_any(form.refused, status, target, response.body, form.charset):
        raise GatewayError(form_login_codes.REFUSED, f"{path}, status {status}")
    if _looks_refused(response, form, target) or shows_form(response, form, origins, page):
        raise GatewayError(form_login_codes.LOOP, f"{path} asks to sign in: status {status}")
    if is_redirect(status):
        raise _led(response, origins, page)
    if status != 200:
        raise GatewayError(form_login_codes.ANSWER, f"status {status} for {path}")
    if not is_readable(response.body, form.charset):
        # Also for an empty or too large body: the unread part may contain the form.
        raise GatewayError(
            form_login_codes.ANSWER, f"{path} does not say whether this is a signed-in person: {UNREADABLE}"
        )


def shows_form(response: FormResponse, form: FormLogin, origins: ApplicationOrigins, asked: str) -> bool:
    """Whether the answer to `asked` has the first form."""
    first = form.steps[0]
    try:
        action_of(form_of(response, first, form, origins, asked), first, origins, asked)
    except GatewayError:
        return False
    return True


def _body(found: FoundPage, step: FormStep, credential: Credential, form: FormLogin) -> bytes:
    pairs = []
    for one in step.fields:
        match one.holds:
            case "login":
                value = credential.login
            case "secret":
                value = credential.secret
            case "page":
                held = found.form.fields[one.name]
                if held is None:
                    raise GatewayError(form_login_codes.FORM, f"the field {one.name} comes with several values")
                value = held
            case _:
                value = one.text
        pairs.append((one.name, value))
    try:
        return urlencode(pairs, encoding=form.charset, errors="strict").encode("ascii")
    except UnicodeEncodeError:
        # The text omits the letter: it may be a letter of the secret.
        raise GatewayError(
            form_login_codes.ACCOUNT, f"a letter that {form.charset} lacks, in the account or its secret"
        ) from None


def _target_of(response: FormResponse, origins: ApplicationOrigins, asked: str) -> str | None:
    return None if response.location is None else origins.target(response.location, origins.public + asked)


def _led(response: FormResponse, origins: ApplicationOrigins, asked: str) -> GatewayError:
    target = _target_of(response, origins, asked)
    # Without the query: an application may repeat sent values there.
    where = quoted(path_of(response.location or "")) if target is None else path_of(target)
    return GatewayError(form_login_codes.ELSEWHERE, f"{path_of(asked)} leads to {where}, which the file does not list")


def _check_way(response: FormResponse, origins: ApplicationOrigins, asked: str, page: str) -> None:
    """From the answer of a step to the page of the next step: a redirect must lead to that page."""
    if is_redirect(response.status):
        target = _target_of(response, origins, asked)
        if target is None or path_of(target) != path_of(page):
            raise _led(response, origins, asked)


def _check_taken(response: FormResponse, form: FormLogin, number: int, origins: ApplicationOrigins, asked: str) -> None:
    """Checks the answer to the form `number`, which is not the last form."""
    target = _target_of(response, origins, asked)
    if response.status >= 500:
        raise GatewayError(form_login_codes.ANSWER, f"status {response.status} for the form")
    if response.status in (401, 403) or meets_any(form.refused, response.status, target, response.body, form.charset):
        raise GatewayError(form_login_codes.REFUSED, f"status {response.status}")
    # Without `refused` in the file, a refusal is the same form again, with a field of a secret that was just sent.
    again = set(_secrets(form.steps[:number])) - set(_secrets(form.steps[number:]))
    if not form.refused and response.status == 200 and _shows(response, again, form):
        raise GatewayError(form_login_codes.REFUSED, "the form is shown again")


def _check_signed_in(response: FormResponse, form: FormLogin, origins: ApplicationOrigins, asked: str) -> None:
    """The answer to the last step."""
    status, target = response.status, _target_of(response, origins, asked)
    if meets_any(form.refused, status, target, response.body, form.charset):
        # `refused` precedes `signed_in`: only the application would count a refusal that passes for a success.
        raise GatewayError(form_login_codes.REFUSED, f"status {status}")
    if meets_any(form.signed_in, status, target, response.body, form.charset):
        return
    if status >= 500:
        raise GatewayError(form_login_codes.ANSWER, f"status {status} for the form")
    if not form.refused and _looks_refused(response, form, target):
        raise GatewayError(form_login_codes.REFUSED, f"status {status}")
    if is_redirect(status) and target is None:
        raise _led(response, origins, asked)
    where = "" if target is None else f", which leads to {path_of(target)}"
    raise GatewayError(
        form_login_codes.ANSWER, f"status {status}{where}: by the file, this is neither signed in nor refused"
    )


def _looks_refused(response: FormResponse, form: FormLogin, target: str | None) -> bool:
    """Without a mark in the file: the form is shown again, or a redirect leads to the form."""
    if response.status in (401, 403):
        return True
    if is_redirect(response.status):
        places = {path_of(step.page) for step in form.steps if step.page is not None} | {s.action for s in form.steps}
        return target is not None and path_of(target) in places
    return response.status == 200 and _shows(response, _secrets(form.steps), form)


def _secrets(steps: Sequence[FormStep]) -> list[str]:
    """Names of the fields with a secret."""
    return [one.name for step in steps for one in step.fields if one.holds == "secret"]


def _shows(response: FormResponse, names: Iterable[str], form: FormLogin) -> bool:
    return any(holds_field(response.body, name, form.charset) for name in names)
