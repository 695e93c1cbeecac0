"""OC12 and OC14: errors that a provider sends, and how we say who we are to it."""

import json
import re
from base64 import b64decode
from urllib.parse import quote_plus, unquote_plus

from aiohttp import web

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.cross_site import APP, PAGE, not_signed_in, refused, to_callback
from tests.attacks.outcomes import passed
from tests.attacks.provider import HANGS_UP, Document
from tests.attacks.request import request
from tests.attacks.signing_in import accepted, signed_in_by
from tests.attacks.world import SEAT, World, host

# --- OC12: errors of the provider ---

SCRIPT = "<script>alert(1)</script>"


def error_answer(reason: str, /, **parameters: str) -> Run:
    """The page says what to do and shows nothing of what came; nothing is sent back to the provider by itself."""

    async def run(world: World) -> None:
        person, page = await to_callback(world)
        with_error = "&".join(f"{name}={value}" for name, value in parameters.items())
        url = re.sub("code=[^&]*", with_error, page.location)
        mark = world.gateway.mark()
        answer = await person.step("GET", url)
        await refused(world, answer, mark, reason)
        expect(not answer.location, f"sent on to {answer.location}")
        for shown in ("<script", "alert(1)", "evil.example", "X-Admin"):
            expect(shown not in answer.text, f"the page shows {shown}")
        expect(not answer.all("X-Admin"), "a header was split")
        lines = [line for line in world.gateway.lines(mark) if line.get("code") == reason]
        expect(len(lines) == 1, f"{len(lines)} events, not 1: {lines}")

    return run


async def without_state(world: World) -> None:
    person = world.guest()
    mark = world.gateway.mark()
    page = await person.step("GET", world.portal("/_ecluse/callback/alpha?error=login_required"))
    await refused(world, page, mark, "oidc.response.state")


async def loop(world: World) -> None:
    """A browser that keeps no seat cookie is stopped on the fourth round with a page that says why."""
    person, pages, mark = world.guest(), [], world.gateway.mark()
    for _ in range(6):
        page = await world.follow(person, await person.step("GET", world.url(APP, PAGE)), "alice")
        person.jar.forget(host(APP), SEAT)
        pages.append(page.status)
    expect(pages == [200, 200, 200, 400, 400, 400], f"{pages}")
    await world.logged(mark, code="login.loop")


async def too_long(world: World) -> None:
    person, page = await to_callback(world)
    url = re.sub("code=[^&]*", f"error=a&error_description={'a' * 100_000}", page.location)
    answer = await person.step("GET", url)
    expect(answer.status == 414, f"{answer.status}")
    await not_signed_in(world, world.guest())


async def at_which_the_provider_hangs_up(world: World) -> None:
    """Strangers' codes open no circuit: who signs in next, at either worker, is not told that it is away."""
    for _ in range(8):
        person, page = await to_callback(world, "mallory")
        mark = world.gateway.mark()
        answer = await person.step("GET", re.sub("code=[^&]*", f"code={HANGS_UP}", page.location))
        await refused(world, answer, mark, "login.provider_unreachable")
    for _ in range(4):
        _, page = await world.sign_in("alice", world.url(APP, PAGE))
        expect(page.status == 200, f"nobody can sign in any more: {page.status}")


OC12 = (
    ("a script in the description", error_answer("login.provider_refused", error="access_denied",
                                                 error_description=SCRIPT.replace("<", "%3C"))),
    ("a line end in the description", error_answer("login.provider_refused", error="access_denied",
                                                   error_description="a%0d%0aX-Admin:%201")),
    ("100 kB of description", too_long),
    ("an error without a state", without_state),
    ("login_required, unasked, again and again", error_answer("login.provider_interaction", error="login_required")),
    ("a browser that goes round", loop),
    ("an address in error_uri", error_answer("login.provider_fault", error="x", error_uri="http://evil.example/")),
    ("an error and a code", error_answer("login.provider_fault", error="x", code="y")),
    ("a code at which the provider hangs up", at_which_the_provider_hangs_up),
)  # fmt: skip

# --- OC14: our own credentials ---


async def client_secret_basic(world: World) -> None:
    """RFC 6749 2.3.1: both halves form-encoded first, so that `:`, `%` and `+` survive; and not in the form too."""
    await accepted("alpha")(world)
    form = world.alpha.redeemed[-1]
    id, _, secret = b64decode(form["authorization"].removeprefix("Basic ")).decode().partition(":")
    expect(unquote_plus(id) == "ecluse" and unquote_plus(secret) == ALPHA_SECRET, f"the client said {id}:{secret}")
    expect("client_secret" not in form, "the secret was sent twice")


async def client_secret_post(world: World) -> None:
    await accepted("beta", app="both")(world)
    form = world.beta.redeemed[-1]
    expect(form["client_secret"] == BETA_SECRET and not form["authorization"], f"the client said {form}")


ALPHA_SECRET = "a-secret-of-the-tests:%+that-no-page-shows"
BETA_SECRET = "another-secret-of-the-tests"


async def no_secret_leaks(world: World) -> None:
    """In no address at the provider, in no page, cookie or header, and not in the log: secret, codes, tokens, state."""
    mark = world.gateway.mark()
    world.recorder.forget()
    person, page = await world.sign_in("alice", world.url("both", PAGE))
    steps = [*page.history, page, await person.step("GET", world.url("both", "/_ecluse/session"))]
    told = repr(world.alpha.asked[-1]) + "".join(step.text + repr(step.headers) for step in steps)
    for word in (ALPHA_SECRET, BETA_SECRET, "access-token-", "refresh-token", "eyJ"):
        expect(word not in told, f"{word} was told to the browser")
        expect(word not in world.gateway.text(), f"{word} is in the log")
    form, query = world.alpha.redeemed[-1], world.alpha.asked[-1]
    for word in (form["code"], form["code_verifier"], query["state"], query["nonce"]):
        expect(word not in world.gateway.text(mark), "a code, a verifier, a state or a nonce is in the log")
    for cookie in (person.jar.get(host("both"), SEAT) or "", person.jar.get("portail.localhost", SEAT) or ""):
        expect(len(cookie) == 66, f"a cookie of {len(cookie)} letters")
        expect(cookie.partition(".")[2] not in world.gateway.text(mark), "a seat is in the log")
    raw = world.recorder.all_bytes
    expect(b"access-token" not in raw and b"__Host-" not in raw and b"eyJ" not in raw, f"{raw!r}")


async def echoed(world: World) -> None:
    """By a provider that says in its refusal what it was sent: it is in no page and not in the log."""
    mark = world.gateway.mark()

    def refusal(_: Document) -> web.Response:
        form = world.alpha.redeemed[-1]
        basic = form["authorization"].removeprefix("Basic ")
        said = {"error": f"no {b64decode(basic).decode()}", "error_description": f"{form['code']} {basic}"}
        return web.json_response(said, status=400)

    with world.alpha.misbehaving(answer=refusal):
        page = await signed_in_by(world, "alpha")
    await world.logged(mark, event="login.refused", code="oidc.token.refused")
    form = world.alpha.redeemed[-1]
    for word in (ALPHA_SECRET, quote_plus(ALPHA_SECRET), form["authorization"].removeprefix("Basic "), form["code"]):
        expect(word not in page.text, f"{word} is on the page")
        expect(word not in world.gateway.text(mark), f"{word} is in the log")


async def echoed_elsewhere(world: World) -> None:
    """In a claim or the type of a token, in the place of what is checked there."""

    def said() -> str:
        form = world.alpha.redeemed[-1]
        return f"{ALPHA_SECRET} {quote_plus(ALPHA_SECRET)} {form['code']} {form['code_verifier']}"

    for behaviour, code in (
        ({"claims": lambda told: told | {"iss": said()}}, "oidc.id_token.issuer"),
        ({"claims": lambda told: told | {"aud": said()}}, "oidc.id_token.audience"),
        ({"answer": lambda told: web.json_response(told | {"token_type": said()})}, "oidc.token.type"),
    ):
        mark = world.gateway.mark()
        with world.alpha.misbehaving(**behaviour):
            page = await signed_in_by(world, "alpha")
        await world.logged(mark, event="login.refused", code=code)
        for word in said().split():
            expect(word not in page.text, f"{word} is on the page")
            expect(word not in world.gateway.text(mark), f"{word} is in the log")


async def session_page_says_no_more(world: World) -> None:
    """K019: what a page's script may read is what the application receives, and nothing else."""
    cookie = await world.cookie(APP)
    seen = await world.send(request(APP, "/_ecluse/session", cookie=cookie))
    told = json.loads(seen.answer.body)
    expect(set(told) == {"provider", "expires_in", "headers", "cookies"}, f"{told}")
    found = passed(world, await world.send(request(APP, PAGE, cookie=cookie)))
    for name, value in told["headers"].items():
        expect([value.encode("latin-1", "replace")] == found.all(name.encode()) or name == "ctln", f"{name}: {value}")
    expect(told["cookies"] == {"app_user": "alice"}, f"{told}")


async def session_page_tells_no_constant(world: World) -> None:
    """One may be the secret of a service account, and every script of the host reads this page."""
    world.alpha.people["noted"] = {"note": "hers"}
    cookie = await world.cookie("odd-names", "noted")
    seen = await world.send(request("odd-names", "/_ecluse/session", cookie=cookie))
    told = json.loads(seen.answer.body)
    expect("Note" in told["headers"] and "X-Template" not in told["headers"], f"{told}")


OC14 = (
    ("no secret in any address, page, header, cookie or log", no_secret_leaks),
    ("client_secret_basic", client_secret_basic),
    ("client_secret_post", client_secret_post),
    ("the session page says no more than the application receives", session_page_says_no_more),
    ("the session page tells no constant of the application's file", session_page_tells_no_constant),
    ("a provider that echoes what it was sent", echoed),
    ("one that does so in claims and types of tokens", echoed_elsewhere),
)


CASES: tuple[Case, ...] = numbered("OC12", OC12, controlled=False) + numbered("OC14", OC14, controlled=False)
