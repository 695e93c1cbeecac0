"""TK: nobody gives an application a token of another person, of another application, or past its end; nor an account.

The gateway runs two workers: what is verified here was signed by either.
"""

import base64
import json

from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.outcomes import passed, unseen
from tests.attacks.recorder import Reached
from tests.attacks.request import request
from tests.attacks.world import ACCOUNT_SECRET, MARK, SHARED_KEY, World

TARGETS = ("/public/page", "/private/page")
NONE_SIGNED = b"eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(b'{"sub":"%b"}' % MARK).rstrip(b"=") + b"."
HEADER_SPELLINGS = (
    b"X-App-Token", b"x-app-token", b"X_App_Token", b"X.App.Token", b"X-App_Token", b"XAppToken", b"X--App-Token",
    b"HTTP_X_APP_TOKEN", b"X~App~Token",
)  # fmt: skip
COOKIE_READINGS = (
    b"APPSESSION=%b", b"appsession=%b", b"APP_SESSION=%b", b" APPSESSION =%b", b"a=1; APPSESSION=%b; b=2",
    b'a="x; APPSESSION=%b"', b"a=1, APPSESSION=%b", b"%%41PPSESSION=%b", b"$APPSESSION=%b", b"APP.SESSION=%b",
)  # fmt: skip
CREDENTIALS = (b"Bearer %b", b"bearer %b", b"Basic %b", b"Negotiate %b", b"%b")


async def keys(world: World) -> KeySet:
    """As an application fetches them."""
    seen = await world.send(request("tokens", "/_ecluse/app/jwks"))
    expect(seen.answer.status == 200, f"no keys are published: {seen}")
    published = json.loads(seen.answer.body)
    expect(all("d" not in key for key in published["keys"]), "a private key is published")
    return KeySet.import_key_set(published)


async def claims_of(world: World, token: bytes, audience: str) -> dict[str, object]:
    """What an application reads of it, which checks all that it has to."""
    try:
        read = jwt.decode(token.decode(), await keys(world), algorithms=["ES256"])
        rules = {"aud": {"essential": True, "value": audience}, "exp": {"essential": True}}
        jwt.JWTClaimsRegistry(**rules).validate(read.claims)
    except JoseError as error:
        expect(False, f"the application refuses it: {error!r}")
    return read.claims


def unsealed(reached: Reached) -> dict[str, object]:
    token = only(reached, b"Cookie").partition(b"APPSESSION=")[2].partition(b";")[0]
    read = jwe.decrypt_compact(token, OctKey.import_key(SHARED_KEY), algorithms=["dir", "A256GCM"])
    found: dict[str, object] = json.loads(read.plaintext or b"")
    return found


def only(reached: Reached, name: bytes) -> bytes:
    """The value of the one header of this name."""
    found = reached.all(name)
    expect(len(found) == 1, f"{len(found)} headers {name.decode()}: {reached.raw!r}")
    return found[0]


async def reached_by(world: World, app: str, *lines: bytes, login: str = "alice", cookie: bytes = b"") -> Reached:
    mine = await world.cookie(app, login)
    both = b"; ".join(part for part in (mine, cookie) if part)
    reached = passed(world, await world.send(request(app, "/private/page", *lines, cookie=both)))
    expect(MARK not in reached.raw and NONE_SIGNED not in reached.raw, f"what a client sent passed: {reached.raw!r}")
    return reached


def forged_header(name: bytes) -> Run:
    async def run(world: World) -> None:
        reached = passed(world, await world.send(request("tokens", "/public/page", name + b": " + NONE_SIGNED)))
        expect(NONE_SIGNED not in reached.raw, f"nobody has a token: {reached.raw!r}")
        reached = await reached_by(world, "tokens", name + b": " + NONE_SIGNED)
        token = only(reached, b"X-App-Token")
        expect((await claims_of(world, token, "tokens"))["uid"] == "alice", "the token says another")

    return run


def forged_cookie(reading: bytes) -> Run:
    async def run(world: World) -> None:
        brought = reading % NONE_SIGNED
        reached = passed(world, await world.send(request("tokens", "/public/page", cookie=brought)))
        expect(NONE_SIGNED not in reached.raw, f"nobody has a token: {reached.raw!r}")
        expect(unsealed(await reached_by(world, "tokens", cookie=brought))["uid"] == "alice", "the token says another")

    return run


def forged_authorization(form: bytes) -> Run:
    line = b"Authorization: " + form % NONE_SIGNED

    async def run(world: World) -> None:
        for app in ("bearer", "account"):
            reached = passed(world, await world.send(request(app, "/public/page", line)))
            expect(not reached.all(b"Authorization"), f"nobody has an account: {reached.raw!r}")
        (sent,) = (await reached_by(world, "bearer", line)).all(b"Authorization")
        expect(
            (await claims_of(world, sent.removeprefix(b"Bearer "), "urn:example:bearer"))["uid"] == "alice", "another"
        )
        (sent,) = (await reached_by(world, "account", line)).all(b"Authorization")
        expect(
            base64.b64decode(sent.removeprefix(b"Basic ")).decode() == f"alice:{ACCOUNT_SECRET}", "another's account"
        )

    return run


async def of_another_application(world: World) -> None:
    """Whoever runs one application shows what it was sent to another."""
    stolen = only(await reached_by(world, "bearer"), b"Authorization").removeprefix(b"Bearer ")
    for line in (b"X-App-Token: " + stolen, b"Authorization: Bearer " + stolen):
        reached = passed(world, await world.send(request("tokens", "/public/page", line)))
        expect(not reached.all(b"X-App-Token"), f"a token that was brought passed: {reached.raw!r}")
    read = jwt.decode(stolen.decode(), await keys(world), algorithms=["ES256"])
    expect(read.claims["aud"] == "urn:example:bearer", "an application that checks takes it for its own")


async def of_another_person(world: World) -> None:
    """Two people on one connection, as behind a proxy that joins requests; each with the same lines but the cookie."""
    alice, mallory = await world.cookie("tokens", "alice"), await world.cookie("tokens", "mallory")
    turns = [(alice, "alice"), (mallory, "mallory")] * 4
    data = [request("tokens", "/private/page", cookie=cookie) for cookie, _ in turns]
    seen = await world.send(data, expected=len(data), pause=0.05)
    came = list(world.recorder.requests)
    expect(len(came) == len(data), f"not all came: {seen}")
    for reached, (_, uid) in zip(came, turns, strict=True):
        token = only(reached, b"X-App-Token")
        told = {str((await claims_of(world, token, "tokens"))["uid"]), str(unsealed(reached)["uid"])}
        expect(told == {uid}, f"{uid} came, and the application was told {told}")


async def of_nobody_any_more(world: World) -> None:
    """After the sign-out there is none, though its life is not over."""
    person, _ = await world.sign_in("alice", world.url("tokens", "/private/page"))
    seat = (person.jar.get("tokens.localhost", "__Host-ecluse") or "").encode()
    cookie = b"__Host-ecluse=" + seat
    reached = passed(world, await world.send(request("tokens", "/private/page", cookie=cookie)))
    expect(len(reached.all(b"X-App-Token")) == 1, "the control: there is a token")
    page = await person.step("GET", world.url("tokens", "/_ecluse/logout"))
    (form,) = page.forms()
    await person.submit(page, form)
    seen = await world.send(request("tokens", "/public/page", cookie=cookie))
    expect(not passed(world, seen).all(b"X-App-Token"), f"a token after the sign-out: {seen}")


async def shown_to_a_script(world: World) -> None:
    """The page for an application's own scripts tells nothing that proves who somebody is."""
    for app in ("tokens", "bearer", "account"):
        seen = await world.send(request(app, "/_ecluse/session", cookie=await world.cookie(app)))
        expect(seen.answer.status == 200, f"the control: {seen}")
        body = seen.answer.body
        expect(b"eyJ" not in body and ACCOUNT_SECRET.encode() not in body and b"Basic" not in body, f"{app}: {body!r}")


async def reference_verifier(world: World) -> None:
    """HS13: what an application reads that checks signature, audience and end, as its page says."""
    token = only(await reached_by(world, "tokens"), b"X-App-Token").decode()
    published = await keys(world)

    def refuses(text: str, audience: str = "tokens", now: int | None = None) -> bool:
        try:
            read = jwt.decode(text, published, algorithms=["ES256"])
            rules = {"aud": {"essential": True, "value": audience}, "exp": {"essential": True}}
            jwt.JWTClaimsRegistry(now=now, **rules).validate(read.claims)
        except (JoseError, ValueError):
            return True
        return False

    expect(not refuses(token), "the control: it takes a token as it came")
    _, claims, signature = token.split(".")
    end = int(jwt.decode(token, published, algorithms=["ES256"]).claims["exp"])
    unsigned = NONE_SIGNED.decode().partition(".")[0]
    for meaning, refused in (
        ("none at all", refuses("")),
        ("one made for another application", refuses(token, "urn:example:bearer")),
        ("one past its end", refuses(token, now=end + 1)),
        ("one that is not signed", refuses(f"{unsigned}.{claims}.") and refuses(f"{unsigned}.{claims}.{signature}")),
        ("one with other claims", refuses(token.replace(claims, NONE_SIGNED.decode().split(".")[1]))),
    ):
        expect(refused, f"it takes {meaning}")


def read_as_another(app: str, login: str) -> Run:
    """`login`: as a query has it, of a person whose name the application would decode or trim to alice's."""

    async def run(world: World) -> None:
        seen = await world.send(request(app, "/private/page", cookie=await world.cookie(app, login)))
        unseen(world, seen)
        expect(seen.answer.status >= 400, f"expected a refusal: {seen}")

    return run


NAMES_OF_ANOTHER = (
    ("legacy", "%2561lice"),
    ("legacy", "x%250aalice"),
    ("account", "alice%20"),
    ("account", "alice%3Ax"),
)

CASES: tuple[Case, ...] = (
    *numbered("TK01", ((f"a client's {name.decode()}", forged_header(name)) for name in HEADER_SPELLINGS)),
    *numbered("TK02", ((f"a client's cookie {one.decode()}", forged_cookie(one)) for one in COOKIE_READINGS)),
    *numbered("TK03", ((f"a client's Authorization {one.decode()}", forged_authorization(one)) for one in CREDENTIALS)),
    Case("TK04", "a token of another application", of_another_application),
    Case("TK05", "a token of another person, on one connection", of_another_person),
    uncontrolled("HS13", "what a verifier of such a token refuses", reference_verifier),
    uncontrolled("TK06", "a token after the sign-out", of_nobody_any_more),
    uncontrolled("TK07", "a token shown to a script", shown_to_a_script),
    *numbered("TK08", ((f"{login} at {app}", read_as_another(app, login)) for app, login in NAMES_OF_ANOTHER)),
)
