"""The provider of the demo, over real HTTP: what it gives to the right client, and what it refuses."""

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.demo.accounts import METROPOLE
from deploy.demo.place import LOOPBACK, free_ports
from deploy.demo.provider import Client, Provider
from tests.browser_like import Person, Response

SECRET = "a secret: with %, + and é"
CALLBACK = "http://portail.localhost:1/_ecluse/callback/metropole"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": "ecluse",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile email",
    "state": "a-state",
    "nonce": "a-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


@pytest.fixture(params=[False, True], ids=["claims in userinfo", "claims in both"])
async def issuer(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    port = free_ports().metropole
    issuer = f"http://{LOOPBACK}:{port}"
    client = Client("ecluse", SECRET, frozenset({CALLBACK}))
    provider = Provider(issuer, "Métropole", METROPOLE, client, claims_in_id_token=request.param)
    runner = web.AppRunner(provider.application())
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    yield issuer
    await runner.cleanup()


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    person = Person()
    yield person
    await person.close()


async def ask(person: Person, issuer: str, **changed: str) -> Response:
    query = urlencode({name: value for name, value in {**ASKED, **changed}.items() if value})
    return await person.step("GET", f"{issuer}/authorize?{query}")


async def choose(person: Person, page: Response, login: str) -> Response:
    (form,) = page.forms()
    assert ("account", login) in form.buttons
    body = urlencode([*form.fields, ("account", login)])
    return await person.post(form.action, body)


def answer(response: Response) -> dict[str, str]:
    assert response.status == 303
    assert response.location.startswith(CALLBACK + "?")
    return {name: value for name, (value,) in parse_qs(urlsplit(response.location).query).items()}


async def redeem(
    issuer: str, code: str, secret: str = SECRET, *, basic: bool = True, **changed: str
) -> tuple[int, dict[str, str]]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        **changed,
    }
    headers = {}
    if basic:
        pair = f"ecluse:{quote_plus(secret)}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    else:
        form |= {"client_id": "ecluse", "client_secret": secret}
    async with aiohttp.request("POST", f"{issuer}/token", data=form, headers=headers) as response:
        return response.status, await response.json()


async def get_json(url: str, **headers: str) -> tuple[int, dict[str, object]]:
    async with aiohttp.request("GET", url, headers=headers) as response:
        return response.status, await response.json()


async def test_a_person_who_chooses_an_account_is_told_to_the_client(issuer: str, person: Person) -> None:
    told = answer(await choose(person, await ask(person, issuer), "helene"))
    assert told["state"] == "a-state"
    assert told["iss"] == issuer
    status, tokens = await redeem(issuer, told["code"])
    assert status == 200

    _, keys = await get_json(f"{issuer}/jwks")
    token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    assert token.claims["iss"] == issuer
    assert token.claims["aud"] == "ecluse"
    assert token.claims["nonce"] == "a-nonce"
    assert token.claims["sub"] == "helene"

    status, claims = await get_json(f"{issuer}/userinfo", Authorization=f"Bearer {tokens['access_token']}")
    assert status == 200
    assert claims["sub"] == "helene"
    assert claims["family_name"] == "Lebœuf-Müller"
    assert claims["groups"] == ["ONDE", "administrateurs"]
    assert claims["uai"] == ["0590001A", "0590002B"]


async def test_its_metadata_names_itself(issuer: str) -> None:
    _, metadata = await get_json(f"{issuer}/.well-known/openid-configuration")
    assert metadata["issuer"] == issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True


async def test_standard_claims_follow_the_scopes(issuer: str, person: Person) -> None:
    told = answer(await choose(person, await ask(person, issuer, scope="openid email"), "paul"))
    _, tokens = await redeem(issuer, told["code"])
    _, claims = await get_json(f"{issuer}/userinfo", Authorization=f"Bearer {tokens['access_token']}")
    assert claims["email"] == "paul@metropole.example"
    assert "family_name" not in claims


async def test_a_code_is_used_once_even_where_the_first_use_was_wrong(issuer: str, person: Person) -> None:
    code = answer(await choose(person, await ask(person, issuer), "paul"))["code"]
    assert await redeem(issuer, code, code_verifier="w" * 43) == (400, {"error": "invalid_grant"})
    assert await redeem(issuer, code) == (400, {"error": "invalid_grant"})


async def test_the_client_may_authenticate_in_the_body(issuer: str, person: Person) -> None:
    code = answer(await choose(person, await ask(person, issuer), "paul"))["code"]
    status, _ = await redeem(issuer, code, basic=False)
    assert status == 200


@pytest.mark.parametrize("basic", [True, False])
async def test_a_wrong_client_secret_is_refused(issuer: str, person: Person, basic: bool) -> None:
    code = answer(await choose(person, await ask(person, issuer), "paul"))["code"]
    assert await redeem(issuer, code, "another secret", basic=basic) == (401, {"error": "invalid_client"})


async def test_another_return_address_than_at_the_start_is_refused(issuer: str, person: Person) -> None:
    code = answer(await choose(person, await ask(person, issuer), "paul"))["code"]
    assert await redeem(issuer, code, redirect_uri=CALLBACK + "/") == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_wrong_request_of_the_client_goes_back_as_an_error(
    issuer: str, person: Person, changed: dict[str, str], error: str
) -> None:
    told = answer(await ask(person, issuer, **changed))
    assert told == {"error": error, "state": "a-state", "iss": issuer}


@pytest.mark.parametrize(
    "changed", [{"client_id": "other"}, {"redirect_uri": "http://evil.example/"}, {"redirect_uri": CALLBACK + "/x"}]
)
async def test_nothing_is_sent_to_an_address_that_is_not_the_clients(
    issuer: str, person: Person, changed: dict[str, str]
) -> None:
    response = await ask(person, issuer, **changed)
    assert response.status == 400
    assert not response.location


async def test_a_person_may_refuse(issuer: str, person: Person) -> None:
    told = answer(await choose(person, await ask(person, issuer), ""))
    assert told == {"error": "access_denied", "state": "a-state", "iss": issuer}


async def test_a_page_sent_twice_gives_no_second_code(issuer: str, person: Person) -> None:
    page = await ask(person, issuer)
    await choose(person, page, "paul")
    assert (await choose(person, page, "paul")).status == 400


async def test_userinfo_asks_for_its_token(issuer: str) -> None:
    status, _ = await get_json(f"{issuer}/userinfo", Authorization="Bearer guessed")
    assert status == 401
