"""Through the pages of oidc-provider as a person goes: login, consent, and back with the answer."""

import re
from html import unescape
from urllib.parse import urljoin

from aiohttp import ClientSession, CookieJar
from yarl import URL

_ACTION = re.compile(r'<form[^>]* action="([^"]+)"')
_PROMPT = re.compile(r'name="prompt" value="([^"]+)"')
_XSRF = re.compile(r'name="xsrf" value="([^"]+)"')
_CANCEL = re.compile(r'href="([^"]+)">\[ Cancel \]')
MOST_STEPS = 15


def browser() -> ClientSession:
    """A session with a cookie jar of its own that also keeps cookies of 127.0.0.1."""
    return ClientSession(cookie_jar=CookieJar(unsafe=True))


async def through_provider(session: ClientSession, url: str, issuer: str, login: str | None) -> str:
    """From an authorization request to the URL, not yet opened, that the provider sends the browser to.

    `login` None: the person cancels. AssertionError, with the page, where the provider stops on an error of its own.
    """
    form: dict[str, str] | None = None
    for _ in range(MOST_STEPS):
        method = "GET" if form is None else "POST"
        async with session.request(method, URL(url, encoded=True), data=form, allow_redirects=False) as response:
            page = await response.text()
            location = response.headers.get("Location")
            status = response.status
        form = None
        if location is not None:
            url = urljoin(url, location)
            if not url.startswith(issuer + "/"):
                return url
            continue
        assert status == 200, f"{status} at {url}: {page[:2000]}"
        url, form = _next(page, login)
    raise AssertionError(f"no way out of the provider's pages after {MOST_STEPS} steps")


async def signed_out_there(session: ClientSession, issuer: str) -> None:
    """The person signs out on the provider's own page, which tells its clients."""
    await confirm_sign_out(session, f"{issuer}/session/end")


async def confirm_sign_out(session: ClientSession, url: str, form: dict[str, str] | None = None) -> str:
    """From the provider's page that asks "do you want to sign out?" to where it sends the browser then."""
    method = "GET" if form is None else "POST"
    async with session.request(method, url, data=form) as response:
        page = await response.text()
    action, xsrf = _ACTION.search(page), _XSRF.search(page)
    assert action, f"no form to sign out with: {page[:2000]}"
    assert xsrf, f"a form without its secret: {page[:2000]}"
    yes = {"xsrf": xsrf[1], "logout": "yes"}
    async with session.post(unescape(action[1]), data=yes, allow_redirects=False) as response:
        assert response.status == 303, await response.text()
        return response.headers["Location"]


def _next(page: str, login: str | None) -> tuple[str, dict[str, str] | None]:
    """Where the page leads: its form, filled in, or its Cancel link."""
    action, prompt = _ACTION.search(page), _PROMPT.search(page)
    assert action, f"a page without a form: {page[:2000]}"
    assert prompt, f"a form without a prompt: {page[:2000]}"
    if login is None:
        cancel = _CANCEL.search(page)
        assert cancel, "a page without Cancel"
        return unescape(cancel[1]), None
    filled = {"login": login, "password": "any"} if prompt[1] == "login" else {}
    return unescape(action[1]), {"prompt": prompt[1], **filled}
