"""The demo's first page: its story in five minutes, in French and English, with a link for each step.

It is served beside the gateway, not through it. One step changes a rule of policies/ and shows what comes of that; at
the end of the demo the rule is as it was.
"""

import re
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Final

import aiohttp
from aiohttp import web

from deploy.demo.accounts import ACCOUNTS, SAML_ACCOUNTS
from deploy.demo.pages import page
from deploy.demo.place import LOOPBACK
from deploy.demo.rule import Rule
from deploy.demo.story_text import ORGANISATIONS, TEXT, Words

_TOLD: Final = "auth_logins|form_logins|policy_decisions|tunnels"
_SHOWN: Final = re.compile(rf"^(ecluse_(?:{_TOLD})\w*(?:\{{[^}}]*\}})?) ([1-9]\S*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Addresses:
    """`own`: the story's. `applications`: their origins by the first part of their host; `portail` is the portal."""

    own: str
    applications: dict[str, str]
    admin: int


class Story:
    def __init__(self, addresses: Addresses, rule: Rule) -> None:
        self._addresses = addresses
        self._rule = rule

    def application(self) -> web.Application:
        application = web.Application(client_max_size=4096)
        application.router.add_get("/", self._first)
        application.router.add_get("/figures", self._figures)
        application.router.add_post("/rule", self._change)
        return application

    async def _first(self, request: web.Request) -> web.Response:
        words = _words(request)
        metrics = f"http://{LOOPBACK}:{self._addresses.admin}/metrics"
        body = Template(f"{words.opening}{words.steps}{_people(words)}{words.closing}").substitute(
            self._addresses.applications, admin=metrics, button=self._button(words)
        )
        return _html(words.title, body, words, self._menu(words))

    async def _figures(self, request: web.Request) -> web.Response:
        words = _words(request)
        async with aiohttp.request("GET", f"http://{LOOPBACK}:{self._addresses.admin}/metrics") as answer:
            found = _SHOWN.findall(await answer.text())
        rows = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{escape(value)}</td></tr>" for name, value in found
        )
        body = f'{words.figures}<div class="wide"><table>{rows}</table></div>{words.back}'
        return _html(words.figures_title, body, words, self._menu(words))

    async def _change(self, request: web.Request) -> web.Response:
        words = _words(request)
        # Fetch 3.1: a browser says of each POST from which site it is. Another site's form changes no rule.
        if request.headers.get("Origin") != self._addresses.own:
            return _html(words.title, words.elsewhere, words, self._menu(words), 403)
        turned = await self._rule.turned()
        if not turned.is_live:
            why = f"{words.refused}<pre><code>{escape(turned.told)}</code></pre>{self._button(words)}{words.back}"
            return _html(words.refused_title, why, words, self._menu(words), 409)
        changed = words.opened if self._rule.is_open() else words.closed
        body = f"<p>{changed}</p><pre><code>{escape(turned.told)}</code></pre>"
        theo = f'<p><a href="{self._addresses.applications["avis"]}/dossiers/7/avis">{words.again}</a></p>'
        return _html(words.rule_title, f"{body}{theo}{self._button(words)}{words.back}", words, self._menu(words))

    def _button(self, words: Words) -> str:
        text = words.close if self._rule.is_open() else words.open
        return f'<form method="post" action="/rule?lang={words.language}"><button>{text}</button></form>'

    def _menu(self, words: Words) -> str:
        other = next(one for one in TEXT.values() if one is not words)
        links = (
            f'<li><a href="/?lang={words.language}">{words.title}</a></li>'
            f'<li><a href="{self._addresses.applications["portail"]}/">{words.portal}</a></li>'
            f'<li><a lang="{other.language}" href="/?lang={other.language}">{other.name}</a></li>'
        )
        return f'<header><nav aria-label="Menu"><ul>{links}</ul></nav></header>'


def _words(request: web.Request) -> Words:
    """That of the address; else of the first language that the browser asks for, if we have it."""
    first = request.headers.get("Accept-Language", "")[:2].lower()
    return TEXT.get(request.query.get("lang", first), TEXT["fr"])


def _people(words: Words) -> str:
    """One line each: who, for whom, by which provider."""
    rows = "".join(
        f"<tr><td>{escape(str(account.claims['name']))}</td>"
        f"<td>{escape(ORGANISATIONS[str(account.claims['siret'])])}</td>"
        f"<td>{escape(words.providers[provider])}</td>"
        f"<td>{escape(words.notes.get(account.login, account.note))}</td></tr>"
        for provider, people in {**ACCOUNTS, **SAML_ACCOUNTS}.items()
        for account in people
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in words.columns)
    table = f'<table class="people"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'{words.people}<div class="wide">{table}</div>'


def _html(title: str, body: str, words: Words, menu: str, status: int = 200) -> web.Response:
    text = page(title, body, menu, language=words.language)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})
