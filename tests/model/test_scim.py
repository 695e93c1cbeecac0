from dataclasses import replace

from gateway.model.identity import Identity
from gateway.model.scim import ScimClient, client_of

VILLE, METROPOLE = "21350238800019", "24350013900189"
CLIENT = ScimClient("ville", "entra", (b"a" * 32, b"b" * 32), "userName", "email", frozenset({VILLE}))
ANNE = Identity("entra", "https://op.example", "s1", {"email": ("anne@ville.example", "a@ville.example")})


def test_a_token_is_of_one_directory() -> None:
    other = replace(CLIENT, name="metropole", tokens=(b"c" * 32,))
    assert client_of((CLIENT, other), b"b" * 32) is CLIENT
    assert client_of((CLIENT, other), b"c" * 32) is other
    for wrong in (b"", b"a" * 31, b"a" * 33, b"d" * 32, "é".encode() * 16):
        assert client_of((CLIENT, other), wrong) is None
    assert client_of((), b"a" * 32) is None


def test_it_speaks_of_its_own_organisation_alone() -> None:
    assert CLIENT.speaks_of("entra", VILLE)
    assert not CLIENT.speaks_of("entra", METROPOLE)
    assert not CLIENT.speaks_of("entra", None)
    assert not CLIENT.speaks_of("another", VILLE)
    assert replace(CLIENT, tenants=None).speaks_of("entra", None)


def test_people_are_named_by_what_their_provider_says() -> None:
    assert CLIENT.names_of(ANNE) == ("anne@ville.example", "a@ville.example")
    assert CLIENT.names_of(replace(ANNE, left_out=frozenset({"email"}))) == ()
    assert CLIENT.names_of(replace(ANNE, attributes={})) == ()
    assert replace(CLIENT, person="subject").names_of(ANNE) == ("s1",)


def test_a_token_stands_in_no_log() -> None:
    assert "a" * 32 not in repr(CLIENT)
