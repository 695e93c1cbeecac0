"""The modules about the sign-in itself, each a test of its name."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from tests.conformance.modules import PLANS, SECRET, Module
from tests.conformance.op import LOGIN, Op
from tests.federation.servers import web_server
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, Installation

_FIELD = re.compile(r'<input name="([^"]*)" value="([^"]*)">')
_ACTION = re.compile(r'<form action="([^"]*)">')
# From userinfo, by way of the mapping and the translation.
_NAMES_HER = f'"X-Remote-User":"{LOGIN}"'


@pytest.fixture
async def op() -> AsyncIterator[Op]:
    op = Op()
    async with web_server(op) as op.port:
        yield op


@pytest.mark.parametrize(
    "module", [pytest.param(one, id=f"{plan}-{one.full_name}") for plan, modules in PLANS.items() for one in modules]
)
async def test_a_sign_in(here: Installation, op: Op, module: Module) -> None:
    usual = {
        "client_secret": SECRET,
        "client_authentication": "client_secret_basic",
        "scopes": ("openid", "profile", "email"),
        "userinfo": True,
    }
    here.change_provider("metropole", issuer=op.issuer, **usual | dict(module.file))
    module.arrange(op)
    replies = [await signed_in(here, op)]
    if module.again is not None:
        module.again(op)
        replies.append(await signed_in(here, op))
    if module.refused:
        assert here.codes() == [module.refused]
        assert not [cookie for reply in replies for cookie in reply.set_cookies if "__Host-ecluse=" in cookie]
        assert not [reply.text for reply in replies if "<script>" in reply.text]
        return
    assert here.codes() == []
    assert [reply.text for reply in replies if _NAMES_HER not in reply.text] == []
    assert module.seen(op), f"asked {op.asked}, for {op.asked_for}, shown {op.shown}"


async def signed_in(here: Installation, op: Op) -> Reply:
    """A new browser, through the provider and back; its last page, or what the application is told where it came to
    that."""
    browser = here.browser()
    reply = await browser.get(here.url(ACTES))
    if reply.url.startswith(op.issuer) and (action := _ACTION.search(reply.text)):
        reply = await posted(browser, op, unescape(action[1]), reply)
    return await browser.get(here.url(ACTES, "/_ecluse/session")) if reply.status == 200 else reply


async def posted(browser: Browser, op: Op, action: str, page: Reply) -> Reply:
    """The provider's page posts from another site: the browser keeps its Lax cookies back."""
    fields = {unescape(name): unescape(value) for name, value in _FIELD.findall(page.text)}
    jar, browser.jar = browser.jar, {}
    cross_site = {"Origin": op.issuer, "Sec-Fetch-Site": "cross-site"}
    reply = await browser.post(action, data=fields, **cross_site)
    browser.jar = jar
    return await browser.get(reply.location) if reply.status == 303 else reply
