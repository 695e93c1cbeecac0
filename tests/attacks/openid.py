"""OC: only what the provider that was asked has signed for this very sign-in is believed. attacks.md 2.7 and 3.

Each case signs a person in through a provider that misbehaves in one thing, and sees it refused with its own code;
the same provider without the misbehaviour lets them in (OC01.1).
"""

import re
import time
from collections.abc import Callable

from tests.attacks import hanging, jose, openid_answers, openid_levels, openid_logout, refreshing, waited
from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.cross_site import CALLBACK, PAGE, refused, to_callback
from tests.attacks.openid_answers import client_secret_basic
from tests.attacks.provider import Document, sign
from tests.attacks.signing_in import accepted, nologin, signed_in_by
from tests.attacks.world import World


def claims(**changes: object) -> Callable[[Document], Document]:
    """The claims with these in place; what is None is left out."""
    return lambda told: {name: value for name, value in (told | changes).items() if value is not None}


def later(**seconds: int) -> Callable[[Document], Document]:
    """Times, as seconds from now."""
    return lambda told: told | {name: int(time.time()) + ahead for name, ahead in seconds.items()}


def wrong_claims(code: str, **changes: object) -> Run:
    return nologin(code, claims=claims(**changes))


def wrong_times(code: str, **seconds: int) -> Run:
    return nologin(code, claims=later(**seconds))


def bad_signature(told: Document) -> str:
    head, payload, signature = sign(told, "alpha").split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


async def bearer_in_the_header(world: World) -> None:
    """RFC 6750: the access token goes to userinfo in a header alone; and what userinfo says arrives (scope claims)."""
    world.alpha.people["told-later"] = {}
    told = {"sub": "told-later", "dept": "from-userinfo"}
    with world.alpha.misbehaving(userinfo=lambda document: document | told):
        page = await signed_in_by(world, "alpha", login="told-later", app="odd-names")
    expect(page.status == 200, f"{page.status} {page.text[:200]}")
    found = [found for found in world.recorder.requests if found.target == PAGE.encode()][-1]
    expect(found.all(b"FrEduRne") == [b"from-userinfo"], f"{found.raw!r}")


OC01 = (
    ("the honest provider: the control of all these", accepted("alpha")),
    ("another issuer in the token", wrong_claims("oidc.id_token.issuer", iss="http://127.0.0.1:1/evil")),
    ("no subject", wrong_claims("oidc.id_token.subject", sub=None)),
    ("another audience", wrong_claims("oidc.id_token.audience", aud="another-client")),
    ("no time of issue", wrong_claims("oidc.id_token.claim", iat=None)),
    ("no kid, and one key", accepted("no-kid", app="scratch")),
    ("no kid, and two keys that fit", accepted("no-kid-two-keys", app="scratch")),
    ("RS256", nologin("oidc.id_token.algorithm", token=lambda told: sign(told, "alpha", alg="PS256"))),
    ("no signature", nologin("oidc.id_token.algorithm", token=jose.without_signature)),
    ("a bad signature", nologin("oidc.id_token.signature", token=bad_signature)),
    ("the access token in a header, and what userinfo says", bearer_in_the_header),
    ("no audience", wrong_claims("oidc.id_token.audience", aud=None)),
    ("userinfo of another subject", nologin("oidc.userinfo.subject", userinfo=lambda told: told | {"sub": "root"})),
    ("another nonce", wrong_claims("oidc.id_token.nonce", nonce="of-another-sign-in")),
    ("userinfo without a subject", nologin("oidc.userinfo.subject", userinfo=lambda told: {"email": "a@corp.example"})),
    ("client_secret_basic", client_secret_basic),
)

# --- OC02: discovery and keys ---


async def rotation(world: World) -> None:
    """New keys are fetched once when a token names one that is unknown; then they are known to both workers."""
    issuer = world.scratch["rotating"]
    for _ in range(4):
        await accepted("rotating", app="scratch")(world)
    issuer.signing_key = "rotated"
    for _ in range(4):
        await accepted("rotating", app="scratch")(world)
    expect(issuer.key_fetches <= 4, f"{issuer.key_fetches} fetches of keys by two workers")


async def unknown_kids(world: World) -> None:
    """K166: however many tokens name keys that nobody knows, keys are fetched anew once in 30 s for each worker, and
    the known ones stay."""
    issuer = world.scratch["unknown-kids"]
    kid = iter(range(1000))
    for _ in range(20):
        run = nologin(
            "oidc.id_token.key", provider="unknown-kids", app="scratch",
            token=lambda told: sign(told, "scratch", kid=f"../../{next(kid)}"),
        )  # fmt: skip
        await run(world)
    expect(issuer.key_fetches <= 4, f"{issuer.key_fetches} fetches of keys by two workers")
    await accepted("unknown-kids", app="scratch")(world)


async def issuer_mismatch(world: World) -> None:
    await nologin("oidc.discovery.issuer", provider="mismatch", app="scratch", before=CALLBACK)(world)
    await nologin("oidc.discovery.issuer", provider="no-issuer", app="scratch", before=CALLBACK)(world)


OC02 = (
    ("discovery and keys as the provider tells them", accepted("alpha")),
    ("one malformed key beside a good one (K167)", accepted("bad-neighbour", app="scratch")),
    ("another issuer in the discovery document", issuer_mismatch),
    ("keys that rotate", rotation),
    ("keys behind a redirect (K165)", nologin("oidc.jwks", provider="redirected-keys", app="scratch")),
    ("keys at a file: address (K165)",
     nologin("oidc.discovery.endpoint", provider="file-keys", app="scratch", before=CALLBACK)),
    ("keys that nobody knows, again and again (K166)", unknown_kids),
)  # fmt: skip

# --- OC05: mix-up ---


def answered(**changes: object) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda told: {name: str(value) for name, value in (told | changes).items() if value is not None}


async def code_at_anothers_callback(world: World) -> None:
    """With the state of the other: nothing of it goes to either token endpoint."""
    person, page = await to_callback(world, app="both")
    other = await world.until(person, await person.step("GET", world.url("both", PAGE)), CALLBACK, "bob", "beta")
    counts = len(world.alpha.redeemed), len(world.beta.redeemed)
    state = re.search("state=([^&]*)", other.location)[1]  # type: ignore[index]
    mixed = re.sub("state=[^&]*", f"state={state}", page.location).replace("callback/alpha", "callback/beta")
    mark = world.gateway.mark()
    await refused(world, await person.step("GET", mixed), mark, "oidc.response.issuer")
    expect((len(world.alpha.redeemed), len(world.beta.redeemed)) == counts, "the code went to a token endpoint")


async def code_stays_at_home(world: World, run: Run) -> None:
    """No honest provider is asked to redeem anything."""
    counts = len(world.alpha.redeemed), len(world.beta.redeemed)
    await run(world)
    expect((len(world.alpha.redeemed), len(world.beta.redeemed)) == counts, "a code went to another's token endpoint")


def never_redeemed(run: Run) -> Run:
    async def wrapped(world: World) -> None:
        await code_stays_at_home(world, run)

    return wrapped


OC05 = (
    ("the code of one at the callback of another", code_at_anothers_callback),
    ("another iss in the answer",
     never_redeemed(nologin("oidc.response.issuer", callback=answered(iss="http://127.0.0.1:1/evil")))),
    ("no iss, though it was announced", never_redeemed(nologin("oidc.response.issuer", callback=answered(iss=None)))),
    ("a token endpoint that is another's", nologin("oidc.token.refused", provider="borrowed-endpoints", app="scratch")),
    ("a provider that stands before an honest one",
     never_redeemed(nologin("oidc.response.issuer", provider="borrowed-token", app="scratch"))),
    ("the token of another provider, which knows us by the same client id",
     nologin("oidc.id_token.issuer", token=lambda told: sign(told | {"iss": "http://127.0.0.1/beta"}, "beta"))),
    ("signed by another provider's key",
     nologin("oidc.id_token.key", token=lambda told: sign(told, "beta"))),
    ("signed by another provider's key under our provider's kid",
     nologin("oidc.id_token.signature", token=lambda told: sign(told, "beta", kid="alpha"))),
    ("an empty iss", never_redeemed(nologin("oidc.response.issuer", callback=answered(iss="")))),
    ("an iss with a slash at its end",
     never_redeemed(nologin("oidc.response.issuer", callback=lambda told: told | {"iss": told["iss"] + "/"}))),
)  # fmt: skip

# --- OC07: state, nonce, PKCE ---


def state_of(value: Callable[[str], str] | None, code: str) -> Run:
    """`None`: no state at all."""

    def change(told: dict[str, str]) -> dict[str, str]:
        kept = {name: told[name] for name in told if name != "state"}
        return kept if value is None else kept | {"state": value(told["state"])}

    return never_redeemed(nologin(code, callback=change))


async def every_state_is_new(world: World) -> None:
    """And long, as are nonce and verifier; the challenge is of S256 and of this verifier's length (K050, K065)."""
    before = len(world.alpha.asked), len(world.alpha.redeemed)
    for _ in range(12):
        person, page = await to_callback(world)
        await world.follow(person, await person.step("GET", page.location), "alice")
    asked, redeemed = world.alpha.asked[before[0] :], world.alpha.redeemed[before[1] :]
    for name in ("state", "nonce", "code_challenge"):
        values = [query[name] for query in asked]
        expect(len(set(values)) == len(values), f"a {name} came twice")
        expect(all(re.fullmatch("[A-Za-z0-9_-]{43}", value) for value in values), f"a {name} of another form")
        for place in range(3, 40, 6):
            expect(len({value[place] for value in values}) > 3, f"every {name} is alike at {place}")
    expect({query["code_challenge_method"] for query in asked} == {"S256"}, "a challenge that is not S256")
    verifiers = {form["code_verifier"] for form in redeemed}
    expect(len(verifiers) == len(redeemed) >= 12, "a verifier came twice")
    expect(all(re.fullmatch("[A-Za-z0-9._~-]{43,128}", verifier) for verifier in verifiers), f"{verifiers}")
    expect(not verifiers & {query["code_challenge"] for query in asked}, "a verifier was sent as its own challenge")


OC07 = (
    ("no state", state_of(None, "oidc.response.state")),
    ("a short state", state_of(lambda state: state[:8], "oidc.response.state")),
    ("a foreign state", state_of(lambda state: state[::-1], "login.transaction_gone")),
    ("an overlong state", state_of(lambda state: state * 100, "oidc.response.state")),
    ("a state with a blank, a quote, a NUL", state_of(lambda state: f"{state}' \0", "oidc.response.state")),
    ("parallel sign-ins, each with its own", every_state_is_new),
    ("no code", never_redeemed(nologin("oidc.response.code", callback=answered(code=None)))),
    ("an empty code", never_redeemed(nologin("oidc.response.code", callback=answered(code="")))),
    ("a code with a line end", never_redeemed(nologin("oidc.response.code", callback=answered(code="a\r\nb")))),
)


# --- OC08: the ID token ---


def acr(told: Document) -> Document:
    return told | {"acr": ["eidas3"], "amr": "mfa"}


OC08 = (
    ("expired beyond the tolerance", wrong_times("oidc.id_token.expired", exp=-61)),
    ("not yet valid", wrong_times("oidc.id_token.not_before", nbf=90)),
    ("issued in the future", wrong_times("oidc.id_token.issued_at", iat=90)),
    ("issued long ago", wrong_times("oidc.id_token.issued_at", iat=-3600)),
    ("another authorised party", wrong_claims("oidc.id_token.authorized_party", azp="another-client")),
    ("two audiences, nobody authorised (K171)", wrong_claims("oidc.id_token.authorized_party", aud=["ecluse", "evil"])),
    ("another at_hash", wrong_claims("oidc.id_token.access_token_hash", at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    ("signed in in the future", wrong_times("oidc.id_token.auth_time", auth_time=90)),
    ("no nonce", wrong_claims("oidc.id_token.nonce", nonce=None)),
    ("acr and amr of a wrong type count as not said", accepted("alpha", claims=acr)),
    ("within the tolerance", accepted("alpha", claims=later(exp=-30, iat=-40, nbf=30))),
    ("exp as text", wrong_claims("oidc.id_token.claim", exp="9999999999")),
    ("exp as a boolean", wrong_claims("oidc.id_token.claim", exp=True)),
    ("no exp", wrong_claims("oidc.id_token.claim", exp=None)),
    ("an issuer in a list", nologin("oidc.id_token.issuer", claims=lambda told: told | {"iss": [told["iss"]]})),
    ("an audience with a member that is no text", wrong_claims("oidc.id_token.audience", aud=["ecluse", {"a": 1}])),
    ("a subject of 256 letters", wrong_claims("oidc.id_token.subject", sub="a" * 256)),
    ("a subject with a line end", wrong_claims("oidc.id_token.subject", sub="a\r\nX-Admin: 1")),
    ("a subject that is a number", wrong_claims("oidc.id_token.subject", sub=1)),
    ("another at_hash of a wrong type", wrong_claims("oidc.id_token.access_token_hash", at_hash=1)),
)

# --- OC09: e-mail ---


def mail(value: object, *, let_in: bool, verified: object = "not said") -> Run:
    """Signed in or not by it; where it is left out, what asks for it is refused."""
    told = {"email": value} | ({} if verified == "not said" else {"email_verified": verified})
    if let_in:
        return accepted("alpha", claims=claims(**told), userinfo=lambda document: document | told)
    return nologin("login.outside_perimeter", claims=claims(**told), userinfo=lambda document: document | told)


def unverified(value: object) -> Run:
    """The mail is as if it were not there: root, whose domain the rule asks for, is refused there and let in else."""

    async def run(world: World) -> None:
        for verified, status in ((value, 403), (True, 200)):
            told: Document = {"email_verified": verified}
            with world.alpha.misbehaving(claims=claims(**told), userinfo=lambda document, told=told: document | told):
                person, page = await world.sign_in("root", world.url("levels", "/suffix"))
            await person.close()
            expect(page.status == status, f"email_verified {verified!r}: {page.status}")

    return run


def disguised(**changes: object) -> Run:
    return nologin("login.outside_perimeter", claims=claims(**changes), userinfo=lambda told: told | changes)


def unvouched(signed: Document, told: Document) -> Run:
    """What one document verified vouches for no address of the other."""

    async def run(world: World) -> None:
        both = [name for name in ("email", "email_verified") if name not in signed]
        with world.alpha.misbehaving(
            claims=claims(**dict.fromkeys(both), **signed), userinfo=lambda document: _alone(document) | told
        ):
            person, page = await world.sign_in("root", world.url("levels", "/suffix"))
        await person.close()
        expect(page.status == 403, f"{signed} and {told}: {page.status}")

    return run


def _alone(document: Document) -> Document:
    return {name: value for name, value in document.items() if not name.startswith("email")}


OC09 = (
    ("not verified", unverified(False)),
    ('verified as a text, "true"', unverified("true")),
    ("not said to be verified: the provider's file vouches", mail("alice@corp.example", let_in=True)),
    ("two @ (K005)", mail("a@evil.test@corp.example", let_in=False)),
    ("a quoted local part (K005)", mail('"a@corp.example"@evil.test', let_in=False)),
    ("a domain in capitals", mail("ALICE@CORP.EXAMPLE", let_in=True)),
    ("an international domain", mail("a@corp\u3002example", let_in=False)),
    ("a dot at the end (K005)", mail("a@corp.example.", let_in=False)),
    ("a blank (K005)", mail("a@corp.example ", let_in=False)),
    ("a domain that ends like ours (K094)", mail("a@evilcorp.example", let_in=False)),
    ("a domain under ours", mail("a@sub.corp.example", let_in=False)),
    ("another domain", mail("a@beta.example", let_in=False)),
    ("two of them, one of another domain", mail(["a@corp.example", "a@evil.test"], let_in=False)),
    ("a letter that looks like ours", mail("a@c\u043erp.example", let_in=False)),
    ("a line end", nologin("login.mapping", claims=claims(email="a@corp.example\r\nX-Admin: 1"))),
    ("another's address as preferred_username", disguised(preferred_username="root@beta.example")),
    ("another's address in brackets", disguised(preferred_username="Root <root@beta.example>")),
    ("another's address as the subject", disguised(sub="root@beta.example")),
    ("verified, and no address beside it", unvouched({"email_verified": True}, {"email": "root@corp.example"})),
    ("verified, and another address beside it",
     unvouched({"email": "root@corp.example"}, {"email": "root@root.corp.example", "email_verified": True})),
    ("another's address, percent-encoded", disguised(preferred_username="root%40beta.example")),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    *numbered("OC01", OC01, controlled=False),
    *numbered("OC02", OC02, controlled=False),
    *numbered("OC05", OC05, controlled=False),
    *numbered("OC07", OC07, controlled=False),
    *numbered("OC08", OC08, controlled=False),
    *numbered("OC09", OC09, controlled=False),
    *jose.CASES,
    *openid_answers.CASES,
    *hanging.CASES,
    *openid_logout.CASES,
    *openid_levels.CASES,
    *refreshing.OC_CASES,
    *waited.CASES,
)
