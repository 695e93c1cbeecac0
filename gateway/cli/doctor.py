"""`ecluse doctor app`: checks that an application answers, and that the login form matches the file. Fetches pages
and sends no account."""

import asyncio
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.access.outcome import Prepared
from gateway.access.preparation import origins_of
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.config.snapshot import App, Snapshot
from gateway.federation.application_page import PageAnswer, page_answered
from gateway.federation.applications import Applications
from gateway.federation.form_exchange import FormExchange
from gateway.formlogin.addresses import ApplicationOrigins, path_of
from gateway.formlogin.marks import is_redirect
from gateway.formlogin.spec import FormLogin, FormStep
from gateway.formlogin.walk import FormRequest, FormResponse, action_of, check_shown, form_of, shows_form
from gateway.model.codes import form_login_codes, upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.trial.request import Circumstances, parse_request
from gateway.trial.trial import try_request

_NOT_LOOKED_AT: Final = "not checked: it follows a form that would have to be sent"


@dataclass(frozen=True, slots=True)
class SteppedOn:
    """The result at one step. `code`: empty if the step is as the file says."""

    page: str
    code: str
    said: str


def run(told: Namespace) -> Exit:
    return doctor(told.name, told.folder, as_json=told.as_json)


def doctor(name: str, folder: Path, *, as_json: bool) -> Exit:
    try:
        _, _, snapshot = compiled(folder)
    except ProblemsFound as found:
        say_problems(found, as_json=as_json)
        return Exit.FOUND
    app = snapshot.apps.get(name)
    if app is None:
        hint = did_you_mean(name, snapshot.apps) or f"known: {', '.join(sorted(snapshot.apps)[:10]) or 'none'}"
        said_to_be_wrong(f"no file in {folder}/apps has the application {name} ({hint})")
        return Exit.USAGE
    steps = asyncio.run(_first_page(app, snapshot) if app.form_login is None else _looked_at(app, app.form_login))
    if as_json:
        say_json({"app": name, "steps": [{"page": one.page, "code": one.code, "said": one.said} for one in steps]})
    else:
        for one in steps:
            as_it_is = "-" if one.said.startswith(_NOT_LOOKED_AT) else "ok"
            print(f"{one.page}  {one.code or as_it_is}  {one.said}")
    return Exit.FOUND if any(one.code for one in steps) else Exit.DONE


async def _first_page(app: App, snapshot: Snapshot) -> list[SteppedOn]:
    """Requests the application's first page at each address: does the application answer, and who may see the page?"""
    applications = Applications(lambda address, port: False)
    found, shown = [], []
    try:
        for place in app.upstream.everywhere:
            try:
                answer = await page_answered(applications.connected, app, place, _host(app), app.home)
            except GatewayError as error:
                found.append(SteppedOn(app.home, error.code.id, f"{place.place}: {error.detail}"))
                continue
            code = upstream_codes.RESPONSE.id if answer.status >= 500 else ""
            found.append(SteppedOn(app.home, code, f"{place.place} answers {_answer_of(app, answer)}"))
            if answer.status == 200:
                shown.append(place.place)
    finally:
        await applications.close()
    found.append(SteppedOn(app.home, "", _to_strangers(app, snapshot, shown)))
    return found


def _answer_of(app: App, answer: PageAnswer) -> str:
    said = f"with status {answer.status} after {answer.seconds:.2f} s"
    if not is_redirect(answer.status) or answer.location is None:
        return said
    origins = origins_of(app, _host(app))
    target = origins.target(answer.location, origins.public + app.home)
    # Omits the query: it may contain private values of the application.
    return f"{said}, and leads to {quoted(path_of(answer.location)) if target is None else path_of(target)}"


def _to_strangers(app: App, snapshot: Snapshot, shown: list[str]) -> str:
    """`shown`: the addresses that show the page without an identity header."""
    request = parse_request(f"GET {app.origin(_host(app))}{app.home}")
    tried = try_request(snapshot, request, None, Circumstances(time.time()))
    if tried.outcome == "allow":
        return "the rules show this page to everybody"
    does = "is asked to sign in" if tried.outcome == "challenge" else f"is refused ({tried.reason})"
    shows = "shows" if len(shown) == 1 else "show"
    past = f"; without the gateway, {' and '.join(shown)} {shows} the page to everybody" if shown else ""
    return f"at the gateway, a person without a session {does}{past}"


async def _looked_at(app: App, form: FormLogin) -> list[SteppedOn]:
    """Looks at the first page, and at the pages behind the form that open without a sign-in."""
    applications = Applications(lambda address, port: False)
    exchange = FormExchange(applications.connected)
    found = []
    try:
        for step in form.steps:
            if step.page is None:
                found.append(SteppedOn(step.action, "", f"{_NOT_LOOKED_AT}, and has no page of its own"))
                continue
            found.append(await _looked(app, form, step, step.page, exchange))
        if form.check is not None:
            found.append(await _checked(app, form, form.check, exchange))
    finally:
        await applications.close()
    return found


async def _looked(app: App, form: FormLogin, step: FormStep, page: str, exchange: FormExchange) -> SteppedOn:
    origins, response = origins_of(app, _host(app)), None
    try:
        response = await _as_a_stranger(app, page, exchange)
        action = action_of(form_of(response, step, form, origins, page), step, origins, page)
    except GatewayError as error:
        if response is not None and step is not form.steps[0] and _asks_to_sign_in(response, form, origins, page):
            return SteppedOn(page, "", f"{_NOT_LOOKED_AT}, and the application hides it from people without a session")
        return SteppedOn(page, error.code.id, error.detail)
    fields = ", ".join(field.name for field in step.fields if field.holds != "text")
    return SteppedOn(page, "", f"a form with {fields}, sent to {action}")


async def _checked(app: App, form: FormLogin, page: str, exchange: FormExchange) -> SteppedOn:
    """Fetches the page of `check` as a stranger, to whom the application must not show it."""
    origins, response = origins_of(app, _host(app)), None
    try:
        response = await _as_a_stranger(app, page, exchange)
        check_shown(response, form, origins, page)
    except GatewayError as error:
        tells = error.code in (form_login_codes.LOOP, form_login_codes.REFUSED)
        if tells or (response is not None and _asks_to_sign_in(response, form, origins, page)):
            return SteppedOn(page, "", "not shown without a session")
        return SteppedOn(page, error.code.id, error.detail)
    said = "shown without a session, too: choose a page for signed-in people only"
    return SteppedOn(page, form_login_codes.ANSWER.id, said)


async def _as_a_stranger(app: App, page: str, exchange: FormExchange) -> FormResponse:
    injection = app.translation.render(None)
    return await exchange.send(app, _host(app), Prepared(injection.headers, injection.cookies), FormRequest(page))


def _host(app: App) -> str:
    return app.hosts[0].replace("*", "www")


def _asks_to_sign_in(response: FormResponse, form: FormLogin, origins: ApplicationOrigins, page: str) -> bool:
    """Whether a page after the first page needs a sign-in: strangers get a refusal, a redirect to another page of the
    application, or the first form."""
    if response.status in (401, 403):
        return True
    if is_redirect(response.status):
        return response.location is not None and origins.target(response.location, origins.public + page) is not None
    return shows_form(response, form, origins, page)
