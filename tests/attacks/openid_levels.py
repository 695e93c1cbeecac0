"""OC08, acr and max_age: a stronger sign-in is asked for once, believed as far as it goes, never in circles."""

import secrets
import time

from aiohttp import web

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import Document, sign
from tests.attacks.request import request
from tests.attacks.world import SEAT, World, host

APP = "levels"


def stepping(target: str, status: int, code: str = "", **second: object) -> Run:
    """Alice signs in without a level, then opens `target`; `second` is what the provider then says beside the usual."""

    async def run(world: World) -> None:
        mark, person = world.gateway.mark(), world.guest()
        with world.alpha.misbehaving(claims=lambda told: told | {"auth_time": int(time.time()) - 60}):
            _, page = await world.sign_in("alice", world.url(APP, "/a"), person=person)
        expect(page.status == 200, f"the control: alice is signed in: {page.status}")
        weak, asked = person.jar.get(host(APP), SEAT), len(world.alpha.asked)
        with world.alpha.misbehaving(claims=lambda told: _changed(told, second)):
            page = await world.follow(person, await person.step("GET", world.url(APP, target)), "alice")
            if way := page.way_on():
                page = await world.follow(person, await person.step("GET", way), "alice")
        expect(page.status == status, f"{target}: {page.status}, not {status}: {page.text[:300]}")
        expect(len(world.alpha.asked) == asked + 1, f"the provider was asked {len(world.alpha.asked) - asked} times")
        if code:
            await world.logged(mark, code=code)
            expect(person.jar.get(host(APP), SEAT) == weak, "a refused sign-in has replaced the session")
        await person.close()

    return run


def _changed(told: Document, changes: dict[str, object]) -> Document:
    return {name: value for name, value in (told | changes).items() if value is not None}


async def not_for_a_script(world: World) -> None:
    _, page = await world.sign_in("alice", world.url(APP, "/a"), person=(person := world.guest()))
    answer = await person.script(world.url(APP, "/strong"))
    expect(answer.status == 401 and answer.json()["error"] == "session.too_weak", f"{page.status} {answer.status}")
    await person.close()


async def not_where_it_does_not_help(world: World) -> None:
    """Invariant 10: a signed-in but refused person gets 403, never a redirect."""
    person, _ = await world.sign_in("alice", world.url(APP, "/a"))
    page = await person.step("GET", world.url(APP, "/strong-admin"))
    expect((page.status, page.location) == (403, ""), f"{page.status} {page.location}")
    await person.close()


INVALID = b'Bearer error="invalid_token"'
TOO_WEAK = b'Bearer error="insufficient_user_authentication"'


def by_token(
    status: int, typ: str = "at+jwt", target: str = "/machine/x", told: bytes = INVALID, **changes: object
) -> Run:
    """K082: what a program brings is checked in full, on each path and with each cookie. `told`: the challenge."""

    async def run(world: World) -> None:
        now = int(time.time())
        claims = {
            "iss": world.alpha.url, "aud": "urn:levels", "sub": "root", "client_id": "c", "jti": secrets.token_hex(),
            "iat": now, "exp": now + 300, "preferred_username": "root", "email": "root@corp.example",
        }  # fmt: skip
        token = sign(_changed(claims, changes), world.alpha.signing_key, typ=typ)
        line = b"Authorization: Bearer " + token.encode()
        seen = await world.send(request(APP, target, line))
        expect(seen.answer.status == status, f"{seen}")
        if status == 200:
            reached = passed(world, seen)
            expect(reached.all(b"X-Remote-User") == [b"root"], f"{reached.raw!r}")
            expect(token.encode() not in reached.raw, "the token went further")
        else:
            expect(seen.answer.header(b"www-authenticate") == told, f"{seen}")
            denied(world, seen)
        expect(token not in world.gateway.text(), "the token is in the log")

    return run


def misspelt(form: bytes) -> Run:
    """With a session: a token that we would not read is none for the application to read either."""

    async def run(world: World) -> None:
        cookie = await world.cookie(APP)
        passed(world, await world.send(request(APP, "/machine/x", cookie=cookie)))
        seen = await world.send(request(APP, "/machine/x", b"Authorization: " + form, cookie=cookie))
        denied(world, seen)

    return run


def shown_to_its_own(target: str, token: str, owner: str, status: int = 401, **told: object) -> Run:
    """Invariant 7: a token that is no JWT is shown to its own provider, empty for none, and to no other.

    `told`: what beta signs about it."""

    async def run(world: World) -> None:
        now, bearer = int(time.time()), f"{token}{secrets.token_hex(8)}"
        about = {
            "active": True, "iss": world.beta.url, "client_id": "program", "sub": "root", "exp": now + 300,
            "preferred_username": "bob",
        }  # fmt: skip
        signed = sign(
            {"iss": world.beta.url, "aud": "ecluse", "iat": now, "token_introspection": about | told.get("about", {})},  # type: ignore[operator]
            world.beta.signing_key,
            typ=str(told.get("typ", "token-introspection+jwt")),
        )
        kind = str(told.get("kind", "application/token-introspection+jwt"))
        before = len(world.alpha.introspected), len(world.beta.introspected)
        body = web.Response(text=signed, content_type=kind)
        with (
            world.alpha.misbehaving(introspection=lambda _: {**about, "iss": world.alpha.url, "aud": "urn:levels"}),
            world.beta.misbehaving(introspection=lambda _: body),
        ):
            seen = await world.send(request("two-apis", target, b"Authorization: Bearer " + bearer.encode()))
        expect(seen.answer.status == status, f"{seen}")
        for name, issuer, count in (("alpha", world.alpha, before[0]), ("beta", world.beta, before[1])):
            shown = bearer in issuer.introspected[count:]
            expect(shown == (name == owner), f"{name} was {'shown' if shown else 'not asked about'} {target} {token}")
        if status == 200:
            passed(world, seen)
        else:
            denied(world, seen)

    return run


NOW = int(time.time())
OC08 = (
    ("acr: a stronger sign-in opens the page", stepping("/strong", 200, acr="eidas2")),
    ("acr: one that is too low", stepping("/strong", 403, "login.too_weak", acr="eidas1")),
    ("acr: none", stepping("/strong", 403, "login.too_weak")),
    ("acr: another spelling", stepping("/strong", 403, "login.too_weak", acr="EIDAS3")),
    ("acr: in a list", stepping("/strong", 403, "login.too_weak", acr=["eidas3"])),
    ("acr: words that nobody mapped", stepping("/strong", 403, "login.too_weak", acr="urn:strong")),
    ("max_age: a new sign-in opens the page", stepping("/recent", 200)),
    ("max_age: the provider asked nobody anew",
     stepping("/recent", 403, "login.not_fresh", auth_time=NOW - 86400)),
    ("max_age: it does not say when", stepping("/recent", 403, "login.not_fresh", auth_time=None)),
    ("amr: a method that the provider names", stepping("/card", 200, amr=["hwk"])),
    ("amr: another method", stepping("/card", 403, "login.too_weak", amr=["pwd"])),
    ("a script is not sent anywhere", not_for_a_script),
    ("nor is who would be refused all the same", not_where_it_does_not_help),
    ("an access token in order: the control of those below", by_token(200)),
    ("an expired access token (K082)", by_token(401, exp=NOW - 86400)),
    ("an access token for somebody else (K082)", by_token(401, aud="ecluse")),
    ("an ID token in the place of an access token (K082)", by_token(401, typ="JWT")),
    ("an access token of another issuer (K082)", by_token(401, iss="https://evil.example")),
    ("a second word after it, with a session", misspelt(b"Bearer a.b.c more")),
    ("a tab before it, with a session", misspelt(b"bEARER\ta.b.c")),
    ("something else beside it, with a session", misspelt(b"Bearer a.b.c, Basic YTpi")),
    ("none at all, with a session", misspelt(b"Bearer")),
    ("an access token that is not valid yet", by_token(401, nbf=NOW + 86400)),
    ("an access token that is made tomorrow", by_token(401, iat=NOW + 86400, exp=NOW + 90000)),
    ("an access token of a sign-in to come, fresh for ever", by_token(401, auth_time=NOW + 10**8)),
    ("an access token bound to a certificate (RFC 8705)", by_token(401, cnf={"x5t#S256": "A" * 43})),
    ("an access token bound to a key (RFC 9449)", by_token(401, cnf={"jkt": "A" * 43})),
    ("an access token of a weak sign-in (RFC 9470)",
     by_token(401, target="/machine/strong/x", told=TOO_WEAK + b', acr_values="eidas2 eidas3"', acr="eidas1")),
    ("an access token of an old sign-in (RFC 9470)",
     by_token(401, target="/machine/recent/x", told=TOO_WEAK + b', max_age="30"', auth_time=NOW - 3600)),
    ("an access token of a strong sign-in: the control", by_token(200, target="/machine/strong/x", acr="eidas2")),
    ("an opaque token on another organisation's path", shown_to_its_own("/api/alpha/x", "beta_", "")),
    ("an opaque token that is another organisation's by its beginning", shown_to_its_own("/api/beta/x", "alpha_", "")),
    ("an opaque token on nobody's path", shown_to_its_own("/api/x", "beta_", "")),
    ("an opaque token of its own on its own path, signed for: the control",
     shown_to_its_own("/api/both/x", "beta_", "beta", 200)),
    ("of a client that the file does not list",
     shown_to_its_own("/api/beta/x", "beta_", "beta", about={"client_id": "stranger"})),
    ("for somebody else", shown_to_its_own("/api/beta/x", "beta_", "beta", about={"aud": "urn:somebody-else"})),
    ("bound to a key, and signed for", shown_to_its_own("/api/beta/x", "beta_", "beta", about={"cnf": {"jkt": "A"}})),
    ("an access token in the place of the answer about one",
     shown_to_its_own("/api/beta/x", "beta_", "beta", typ="at+jwt")),
    ("an ID token in the place of the answer about one",
     shown_to_its_own("/api/beta/x", "beta_", "beta", typ="JWT")),
    ("an opaque token of the other on its own path: the control", shown_to_its_own("/api/alpha/x", "a_", "alpha", 200)),
    ("an unsigned kind of answer where a signed one is pinned",
     shown_to_its_own("/api/beta/x", "beta_", "beta", kind="application/json")),
    ("a refresh token, which the provider answers about, too",
     shown_to_its_own("/api/beta/x", "beta_", "beta", about={"token_use": "refresh_token"})),
)  # fmt: skip

CASES: tuple[Case, ...] = numbered("OC08", OC08, first=21, controlled=False)
