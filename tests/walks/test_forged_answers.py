"""What a provider's answer may not be: each is refused with a code in the log and a page that a person can read."""

import json
import time
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from tests.attacks.provider import Document, sign, sign_mac, unsigned
from tests.browser_like import Person, Response
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.world import SEAT, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLBACK = "/_ecluse/callback/"
SECRET = b"a-secret-of-the-tests"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Place(tmp_path_factory.mktemp("forged"))) as world:
        yield world
        world.gateway.is_clean()


async def to_callback(world: World, person: Person, target: str = "/page") -> str:
    """The provider has answered; the callback's URL, not yet asked for."""
    page = await person.step("GET", world.place.url(ONE, target))
    return (await world.follow(person, page, before=CALLBACK)).location


def changed(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(query)).geturl()


async def is_refused(world: World, mark: int, page: Response, person: Person, code: str) -> None:
    """With this code in the log, its reference on the page, and nobody signed in."""
    line = await world.gateway.logged(mark, code=code)
    assert line["event"] == "login.refused"
    assert line["level"] == "warning"
    assert 400 <= page.status < 500
    assert "<h1>" in page.text
    assert line["reference"] in page.text
    for host in (ONE, PORTAL_HOST):
        assert person.jar.get(host, SEAT) is None, f"there is a seat on {host}"


# --- who answers, and where ---


async def test_a_callback_sent_twice_signs_in_once(world: World) -> None:
    person, mark = world.person(), world.gateway.mark()
    callback = await to_callback(world, person)
    page = await world.follow(person, await person.step("GET", callback))
    assert page.url == world.place.url(ONE, "/page")
    again = await person.step("GET", callback)
    assert (again.status, again.all("Set-Cookie")) == (400, [])
    assert "already" in again.text
    await world.gateway.logged(mark, code="login.transaction_gone")


async def test_a_callback_that_another_browser_has_seen_is_of_no_use_to_it(world: World) -> None:
    person, thief, mark = world.person(), world.person(), world.gateway.mark()
    callback = await to_callback(world, person)
    await world.follow(person, await person.step("GET", callback))
    await is_refused(world, mark, await thief.step("GET", callback), thief, "login.transaction_gone")


async def test_the_state_of_another_browser_is_refused_and_used_up(world: World) -> None:
    owner, thief, mark = world.person(), world.person(), world.gateway.mark()
    callback = await to_callback(world, owner)
    await to_callback(world, thief)
    await is_refused(world, mark, await thief.step("GET", callback), thief, "login.other_browser")
    again = world.gateway.mark()
    await is_refused(world, again, await owner.step("GET", callback), owner, "login.transaction_gone")


async def test_a_state_that_nobody_gave_out_is_refused(world: World) -> None:
    person, mark = world.person(), world.gateway.mark()
    callback = changed(await to_callback(world, person), state="A" * 43)
    await is_refused(world, mark, await person.step("GET", callback), person, "login.transaction_gone")


async def test_a_code_at_the_callback_of_another_provider_goes_nowhere(world: World) -> None:
    person, mark = world.person(), world.gateway.mark()
    callback = await to_callback(world, person)
    world.alpha.redeemed.clear(), world.beta.redeemed.clear()
    page = await person.step("GET", callback.replace(f"{CALLBACK}alpha", f"{CALLBACK}beta"))
    await is_refused(world, mark, page, person, "login.other_provider")
    assert (world.alpha.redeemed, world.beta.redeemed) == ([], [])


async def test_an_answer_that_names_another_issuer_is_refused_and_its_code_goes_nowhere(world: World) -> None:
    person, mark = world.person(), world.gateway.mark()
    callback = changed(await to_callback(world, person), iss=world.beta.url)
    world.alpha.redeemed.clear()
    await is_refused(world, mark, await person.step("GET", callback), person, "oidc.response.issuer")
    assert world.alpha.redeemed == []


# --- the ID token ---


def with_claims(**claims: object) -> Callable[[Document], Document]:
    return lambda told: told | claims


FORGED_CLAIMS = {
    "a swapped nonce": ({"nonce": "another"}, "oidc.id_token.nonce"),
    "no nonce": ({"nonce": None}, "oidc.id_token.nonce"),
    "another issuer": ({"iss": "https://evil.example"}, "oidc.id_token.issuer"),
    "another audience": ({"aud": "another-client"}, "oidc.id_token.audience"),
    "two audiences and another party": ({"aud": ["ecluse", "x"], "azp": "x"}, "oidc.id_token.authorized_party"),
    "an end that has been": ({"exp": int(time.time()) - 3600}, "oidc.id_token.expired"),
}
FORGED_TOKENS: dict[str, tuple[Callable[[Document], str], str]] = {
    "another key": (lambda claims: sign(claims, "stolen", kid="alpha"), "oidc.id_token.signature"),
    "a key that the provider does not show": (lambda claims: sign(claims, "stolen"), "oidc.id_token.key"),
    "another algorithm": (lambda claims: sign_mac(claims, SECRET), "oidc.id_token.algorithm"),
    "no algorithm": (lambda claims: unsigned('{"alg":"none"}', json.dumps(claims)), "oidc.id_token.algorithm"),
}


@pytest.mark.parametrize("what", FORGED_CLAIMS)
async def test_an_id_token_that_says_something_else_is_refused(world: World, what: str) -> None:
    claims, code = FORGED_CLAIMS[what]
    person, mark = world.person(), world.gateway.mark()
    callback = await to_callback(world, person)
    with world.alpha.misbehaving(claims=with_claims(**claims)):
        page = await person.step("GET", callback)
    await is_refused(world, mark, page, person, code)


@pytest.mark.parametrize("what", FORGED_TOKENS)
async def test_an_id_token_that_somebody_else_has_made_is_refused(world: World, what: str) -> None:
    token, code = FORGED_TOKENS[what]
    person, mark = world.person(), world.gateway.mark()
    callback = await to_callback(world, person)
    with world.alpha.misbehaving(token=token):
        page = await person.step("GET", callback)
    await is_refused(world, mark, page, person, code)


async def test_the_nonces_of_two_tabs_cannot_be_exchanged(world: World) -> None:
    """Each is good by itself: only together with its own state."""
    person, mark = world.person(), world.gateway.mark()
    first, second = await to_callback(world, person, "/1"), await to_callback(world, person, "/2")
    codes = [parse_qs(urlsplit(url).query)["code"][0] for url in (first, second)]
    page = await person.step("GET", changed(first, code=codes[1]))
    # Another verifier belongs to that code: the provider itself refuses.
    await is_refused(world, mark, page, person, "oidc.token.refused")
    used = world.gateway.mark()
    await is_refused(world, used, await person.step("GET", second), person, "oidc.token.refused")
