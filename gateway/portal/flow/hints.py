"""What a link into an application says of who is to sign in, for the providers whose file passes such a thing on.

A link is anybody's: nothing is taken but names that some provider of the application lists, each with one short value.
The link itself is left as it is: the application is asked for the page with them, as it was linked.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl

from gateway.config.snapshot import App
from gateway.oidc.authorization_request import is_hint
from gateway.portal.providers import openid_providers

Hints = tuple[tuple[str, str], ...]

# Characters of one sign-in under way that a stranger's link may fill.
MOST = 1024
_PARAMETERS = 64


def hints_of(app: App, queries: Iterable[str]) -> Hints:
    """`queries`: raw, the first one that says something of a name counts."""
    passed_on = [provider.request.passed_on for provider in openid_providers(app.listed.values())]
    names = frozenset[str]().union(*passed_on)
    found: dict[str, str] = {}
    for query in queries if names else ():
        found = {name: value for name, value in _single(query).items() if name in names} | found
    return _within(found)


def _single(query: str) -> dict[str, str]:
    """What is there once; twice has no single meaning. A query that is none of ours to judge says nothing."""
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
