"""Applications of many kinds in one installation, and who is signed in there: what a worker remembers of one of them
must show at none of the others."""

from typing import Final

from gateway.access.account import NoAccounts
from gateway.model.account import AccountHolder, AccountSettings
from gateway.model.identity import Identity
from gateway.model.session import Seat
from tests.config.samples import GATEWAY
from tests.fronts.fronts import GATEWAY as FORWARD_AUTH
from tests.fronts.fronts import SECRETS
from tests.proxy.gateways import files
from tests.proxy.stand_ins import COOKIE, identity, seat
from tests.proxy.test_alike import AUTRE, RULES, TOKENS

HOSTS: Final = (
    b"permis.localhost", b"autre.localhost", b"divided.localhost", b"dav.localhost", b"edits.localhost",
    b"shadow.localhost", b"secure.localhost", b"x.wild.localhost", b"y.wild.localhost", b"preset.localhost",
    b"account.localhost", b"front.localhost", b"portail.localhost",
)  # fmt: skip
# Of somebody's seat at each of the hosts, the cookie begins with its letter.
PEOPLE: Final = {"jdupont": COOKIE, "mmartin": COOKIE[::-1]}
_IDENTITIES: Final = {
    "jdupont": identity(uid="jdupont", groups=("administrateurs",), mail="j@metropole.example"),
    "mmartin": identity(uid="mmartin", given_name="Marie"),
}

_ACCESS: Final = """\
  - {path: /public/**, allow: anyone}
  - {path: /admin/**, allow: {group: administrateurs}}
  - {path: /**, allow: signed_in}
"""


def _app(name: str, *more: str, hosts: str = "", url: str = "", translate: str = "", access: str = _ACCESS) -> str:
    return "\n".join((
        f"version: 1\napp: {name}\nhosts: [{hosts or name + '.localhost'}]",
        f"upstream: {{url: http://127.0.0.1:{9 + len(name)}{url}}}\nproviders: [metropole]",
        f"translate: {translate or '{headers: {X-Remote-User: {from: uid}}}'}\naccess:\n{access}",
        *more,
        "",
    ))  # fmt: skip


_KINDS: Final = {
    # Two applications divide the paths of a host.
    "divided": _app("divided"),
    "wiki": _app(
        "wiki",
        "path: /wiki",
        hosts="divided.localhost",
        access="  - {path: /wiki/**, allow: anyone}\n  - {path: /wiki/admin/**, allow: signed_in}\n",
    ),
    "dav": _app("dav", "methods: [PROPFIND, COPY, MOVE]", "logout: {links: [/bye, '/a?do=out'], url: /out}"),
    "edits": _app(
        "edits",
        "cookies: {prefix: p_}",
        "responses: {add: {X-Content-Type-Options: nosniff}, replace: {Referrer-Policy: no-referrer}}",
        "limits: {paths: [{path: /public/**, body: 3B}]}",
    ),
    "shadow": _app(
        "shadow",
        translate="{headers: {X-Remote-User: {from: uid}}, cookies: {CTSESSION: {value: present}}}",
        access="  - {path: /new/**, allow: {group: ONDE}, shadow: true}\n" + _ACCESS,
    ),
    "secure": _app("secure", "public: {scheme: https}", "client_headers: [X-Auth-Token, app_x]", url="/deep"),
    "wild": _app(
        "wild",
        "method_override: true",
        "paths: {case: insensitive}",
        "responses: {clear_site_data: true, end_hsts: true, cache: unchanged}",
        hosts="'*.wild.localhost'",
    ),
    "preset": _app(
        "preset",
        "paths: {semicolon: literal, encoded_slash: keep, encoding: latin1}",
        "responses: {replace: {X-Robots-Tag: none}}",
        translate="{preset: authentik, paths: [{path: /dossiers/**, headers: {X-Level: {value: high}}},"
        " {path: /recherche, omit: [X-authentik-email]}]}",
    ),
    "account": _app(
        "account", 'account: {ask: "Ask the office."}', translate="{headers: {X-Remote-User: {from: account}}}"
    ),
}


def installation(trusted: str, *, other: bool) -> dict[str, str]:
    """The files of the policy folder. `trusted`: listed proxies; where there are any, one of them asks before it passes
    requests on by itself. `other`: another version, which lets others in by a header and has other words put into
    it."""
    fronted = trusted != "[]"
    own = RULES.replace("equals: fr", "equals: en") if other else RULES
    listed = FORWARD_AUTH if fronted else "trusted_proxies: []\n"
    return {
        **files(9, app=own),
        **TOKENS,
        "gateway.yaml": f"{GATEWAY}{listed}access_log: true\nhsts: 1d\n"
        "accounts: {keys: [{id: a1, secret: {env: ACCOUNTS}}]}\n",
        "apps/autre.yaml": (AUTRE.replace("oui", "non") if other else AUTRE) % 10,
        **{f"apps/{name}.yaml": text for name, text in _KINDS.items()},
        "apps/front.yaml": _app("front", *(("front: nginx",) if fronted else ())),
    }


INSTALLATION_SECRETS: Final = {**SECRETS, "env:ACCOUNTS": b"accounts-key-of-the-tests-0123456789"}


def cookie_at(who: str, place: int) -> bytes:
    """`place`: of the host among HOSTS."""
    return b"%c" % (ord("A") + place) + PEOPLE[who][1:]


def seats() -> dict[bytes, Seat]:
    """Everybody's, at every host."""
    return {
        cookie: seat(host.decode(), _IDENTITIES[who], cookie)
        for place, host in enumerate(HOSTS)
        for who, cookie in ((who, cookie_at(who, place)) for who in PEOPLE)
    }


class Logins(NoAccounts):
    """One of the two has a login where the application asks for one."""

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        return ("agent-7", b"") if "groups" in seat.identity.attributes else None


def named(identity: Identity) -> str:
    return " ".join(identity.attributes["uid"])
