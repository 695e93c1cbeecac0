"""python -m tests.conformance [PLAN ...]: a line per module, `N passed, N failed` last; exit status 1 if one failed."""

import asyncio
import re
import sys
import traceback
from collections.abc import Sequence
from html import unescape

from tests.conformance.lives import LIVES, Life
from tests.conformance.modules import PLANS, SECRET, Module
from tests.conformance.op import LOGIN, Op
from tests.federation.servers import web_server
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, Installation, installed

_FIELD = re.compile(r'<input name="([^"]*)" value="([^"]*)">')
_ACTION = re.compile(r'<form action="([^"]*)">')
# From userinfo, by way of the mapping and the translation.
_NAMES_HER = f'"X-Remote-User":"{LOGIN}"'
_EACH_WITHIN = 300.0


def main() -> int:
    plans: dict[str, Sequence[Module | Life]] = {**PLANS, **LIVES}
    chosen = sys.argv[1:] or list(plans)
    if unknown := set(chosen) - plans.keys():
        print(f"no plan {', '.join(sorted(unknown))}; there are {', '.join(plans)}")
        return 2
    passed = failed = 0
    for plan in chosen:
        for module in plans[plan]:
            wrong = asyncio.run(tried(module))
            print(f"{plan}: {module.full_name}: {wrong or 'passed'}")
            passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


async def tried(module: Module | Life) -> str:
    """What went wrong; empty where nothing did."""
    try:
        async with asyncio.timeout(_EACH_WITHIN), installed() as here:
            if isinstance(module, Life):
                return await module.run(here)
            op = Op()
            async with web_server(op) as op.port:
                return await run(here, op, module)
    except Exception:
        return traceback.format_exc()


async def run(here: Installation, op: Op, module: Module) -> str:
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
    codes = here.codes()
    if module.refused:
        let_in = any("__Host-ecluse=" in cookie for reply in replies for cookie in reply.set_cookies)
        shown = any("<script>" in reply.text for reply in replies)
        return "" if codes == [module.refused] and not let_in and not shown else f"codes {codes}, let in: {let_in}"
    texts = [reply.text[:200] for reply in replies]
    if codes or not all(_NAMES_HER in text for text in texts):
        return f"{texts}, codes {codes}"
    return "" if module.seen(op) else f"asked {op.asked}, for {op.asked_for}, shown {op.shown}"


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


if __name__ == "__main__":
    sys.exit(main())
