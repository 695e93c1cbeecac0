"""`scim`: a directory speaks of its own people alone, and shows a token that is no other's."""

import pytest

from tests.config.samples import GATEWAY, METROPOLE, problems

KEYS = "scim:\n  keys: [{id: s1, secret: {env: KEPT}}]\n  clients:\n"
ONE = "{name: ville, provider: metropole, tokens: [{env: TOKEN}]%s}"
SECRETS = {
    "env:KEPT": b"0123456789-of-what-is-told-0123456789",
    "env:TOKEN": b"0123456789abcdef0123456789abcdef",
    "env:OTHER": b"fedcba9876543210fedcba9876543210",
}
SIRET, ANOTHER = "21590350100017", "24350013900189"


def of(*clients: str, provider: str = METROPOLE, secrets: dict[str, bytes] | None = None) -> list[str]:
    lines = "".join(f"    - {client}\n" for client in clients)
    files = {"gateway.yaml": GATEWAY + KEYS + lines, "providers/metropole.yaml": provider}
    return problems(files, {**SECRETS, **(secrets or {})})


def one(more: str = "") -> str:
    return ONE % more


def test_a_directory_of_a_provider() -> None:
    assert of(one()) == []
    assert of(one(", named_by: externalId, person: mail")) == []


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (one().replace("metropole", "metropol"), "clients[0].provider: no file of providers/ has this name"),
        (one(", person: courriel"), "clients[0].person: the provider maps no attribute of this name"),
        (one(f", siret: ['{SIRET}']").replace("TOKEN", "TOKEN"), ""),
        (one(", siret: ['21590350100018']"), "clients[0].siret[0]: this is not a SIRET"),
        (one(", named_by: email"), "clients[0].named_by"),
        (one().replace("tokens: [{env: TOKEN}]", "tokens: []"), "clients[0].tokens"),
    ],
)
def test_what_it_says_is_held_against_its_provider(client: str, why: str) -> None:
    found = of(client)
    assert any(why in problem for problem in found) if why else found == []


def test_of_a_provider_of_many_organisations_it_is_said_whose_it_is() -> None:
    many = METROPOLE.replace(f'siret: ["{SIRET}"]', f'siret: ["{SIRET}", "{ANOTHER}"]')
    assert many != METROPOLE, "the sample says it otherwise"
    message = "the provider signs in people of several organisations: it has to be said whose directory this is"
    assert any(message in problem for problem in of(one(), provider=many))
    assert of(one(f", siret: ['{ANOTHER}']"), provider=many) == []
    other = "{name: autre, provider: metropole, tokens: [{env: OTHER}], siret: ['%s']}"
    assert of(one(f", siret: ['{SIRET}']"), other % ANOTHER, provider=many) == []
    found = of(one(f", siret: ['{SIRET}']"), other % SIRET, provider=many)
    assert any("ville speaks of the same people already" in problem for problem in found)


def test_two_directories_of_one_provider_speak_of_the_same_people() -> None:
    found = of(one(), "{name: autre, provider: metropole, tokens: [{env: OTHER}]}")
    assert any("clients[1].provider: ville speaks of the same people already" in problem for problem in found)


def test_names_ids_and_tokens_are_there_once() -> None:
    found = of(one(), one())
    assert any("clients[1].name: this name is here twice" in problem for problem in found)
    assert any("clients[1].tokens[0]: this token is here twice" in problem for problem in found)
    assert not [problem for problem in found if "0123456789abcdef" in problem]
    twice = problems(
        {"gateway.yaml": GATEWAY + KEYS.replace("}}]", "}}, {id: s1, secret: {env: KEPT}}]") + f"    - {one()}\n"},
        SECRETS,
    )
    assert any("scim.keys[1].id: this id is here twice" in problem for problem in twice)


@pytest.mark.parametrize("token", [b"short", b"a b" * 20, b"\xc3\xa9" * 20])
def test_a_token_is_long_and_goes_into_a_header(token: bytes) -> None:
    assert any("clients[0].tokens[0]" in problem for problem in of(one(), secrets={"env:TOKEN": token}))


def test_its_keys_are_no_keys_of_the_store() -> None:
    assert any("scim.keys[0].secret: a store key has at least" in one for one in of(one(), secrets={"env:KEPT": b"x"}))
