"""Hints for a provider (`login_hint` and the like) that a link into an application carries, where its file lists them.

Any site can make such a link: only names that some provider of the application lists are taken, each with one short
value. The link itself is not changed: the application receives it as it was written.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from gateway.config.snapshot import App
from gateway.oidc.authorization_request import is_hint
from gateway.portal.providers import openid_providers

Hints = tuple[tuple[str, str], ...]

# Characters that a stranger's link may fill in the record of one sign-in.
MOST = 1024
_PARAMETERS = 64


def hints_of(app: App, queries: Iterable[str]) -> Hints:
    """`queries`: raw query strings; the first one that has a name counts for it."""
    passed_on = [provider.request.passed_on for provider in openid_providers(app.listed.values())]
    names = frozenset[str]().union(*passed_on)
    found: dict[str, str] = {}
    for query in queries if names else ():
        found = {name: value for name, value in _single(query).items() if name in names} | found
    return _within(found)


def _single(query: str) -> dict[str, str]:
    """The parameters that are there once; twice has no single meaning. A query that cannot be read has none."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _within(found: dict[str, str]) -> Hints:
    kept, left = [], MOST
    for name, value in sorted(found.items()):
        if is_hint(name, value) and len(value) <= left:
            kept.append((name, value))
            left -= len(value)
    return tuple(kept)
