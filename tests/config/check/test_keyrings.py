"""A keyring has to be of its place's kind, with keys that serve and one of them in use."""

import time
from pathlib import Path

import pytest
import trustme

from gateway.config.folder.read import read_folder, read_keyrings
from gateway.config.keyring import Keyring, RingKey, RingKind, keyring_text
from tests.config.samples import BASE, GATEWAY, METROPOLE, problems, sample_snapshot
from tests.tokens.keys import pem

NOW = int(time.time())
LEAF = trustme.CA().issue_cert("ecluse.example")
SECRET = {"secret": "0123456789abcdef" * 4}
PAIR = {"key": pem("RS256").decode(), "certificate": LEAF.cert_chain_pems[0].bytes().decode()}
OWN = {**PAIR, "key": LEAF.private_key_pem.bytes().decode()}
SIGNS = {"key": pem("ES256").decode(), "algorithm": "ES256"}
LISTED = "keys: [{id: k1, secret: {file: ../certs/store.key}}]"
CHANGES: dict[RingKind, dict[str, str]] = {
    "store": {"gateway.yaml": GATEWAY.replace(LISTED, "keyring: {file: ring}")},
    "saml": {"gateway.yaml": GATEWAY + "saml: {keyring: {file: ring}}\n"},
    "client": {"providers/metropole.yaml": METROPOLE.replace("oidc:\n", "oidc:\n  client_keyring: {file: ring}\n")},
}


def ring(kind: RingKind, *keys: RingKey) -> dict[str, bytes]:
    return {"file:ring": keyring_text(Keyring(kind, keys))}


def key(id: str, parts: dict[str, str], since: int = 0) -> RingKey:
    return RingKey(id, NOW + since, None, parts)


def test_store_keys_come_from_it_the_one_in_use_first() -> None:
    some = ring("store", key("b", SECRET), key("a", {"secret": "a" * 40}))
    assert sample_snapshot(CHANGES["store"], some).gateway.store_keys == (
        ("b", SECRET["secret"].encode()),
        ("a", b"a" * 40),
    )


def test_saml_keys_come_from_it() -> None:
    ours = sample_snapshot(CHANGES["saml"], ring("saml", key("b", OWN), key("a", OWN))).gateway.service_provider
    assert ours is not None
    assert [one.id for one in ours.keys] == ["b", "a"]
    assert {one.key for one in ours.keys} == {OWN["key"].encode()}
    assert {one.certificate for one in ours.keys} == {OWN["certificate"].encode()}


def test_a_clients_keys_come_from_it_and_make_private_key_jwt_possible() -> None:
    changes = {
        "providers/metropole.yaml": CHANGES["client"]["providers/metropole.yaml"].replace(
            "  client_secret: {file: ../certs/metropole.secret}\n", "  client_authentication: private_key_jwt\n"
        )
    }
    (provider,) = sample_snapshot(changes, ring("client", key("b", SIGNS))).providers.values()
    (own,) = provider.client_keys  # type: ignore[union-attr]
    assert (own.id, own.algorithm, own.pem) == ("b", "ES256", SIGNS["key"].encode())


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("store", {"file:ring": b"0123456789abcdef" * 4}, "this is no keyring (ecluse key new store FILE)"),
        ("store", ring("saml", key("a", OWN)), "this is a keyring of saml keys (ecluse key new store FILE)"),
        ("saml", ring("store", key("a", SECRET)), "this is a keyring of store keys (ecluse key new saml FILE)"),
        ("store", ring("store"), "no key of this keyring is in force now: each has ended or is yet to come"),
        ("store", ring("store", key("a", {"secret": "short"})), "key a: a store key has at least 32 bytes"),
        ("saml", ring("saml", key("a", PAIR)), "key a: this key does not belong to the certificate"),
        ("saml", ring("saml", key("a", {**OWN, "certificate": "x"})), "key a: this is not a certificate in PEM form"),
        ("client", ring("client", key("a", {**SIGNS, "algorithm": "HS256"})), "key a: this algorithm signs nothing"),
        ("client", ring("client", key("a", {**SIGNS, "algorithm": "RS256"})), "key a: RS256 needs an RSA key"),
    ],
)  # fmt: skip
def test_what_cannot_serve_is_a_problem_at_its_place(kind: RingKind, content: dict[str, bytes], why: str) -> None:
    (problem,) = problems(CHANGES[kind], content)
    assert why in problem
    assert "ring: " in problem


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gateway.yaml": GATEWAY.replace(LISTED, f"{LISTED}, keyring: {{file: ring}}")}, "in keys or in keyring"),
        ({"gateway.yaml": GATEWAY.replace(f", {LISTED}", "")}, "in keys or in keyring"),
        ({"gateway.yaml": GATEWAY + "saml: {entity_id: https://a.example/}\n"}, "in keys or in keyring"),
        (
            {"providers/metropole.yaml": CHANGES["client"]["providers/metropole.yaml"].replace(
                "oidc:\n", "oidc:\n  client_keys: [{key: {file: ring}}]\n"
            )},
            "in client_keys or in client_keyring",
        ),
    ],
)  # fmt: skip
def test_keys_stand_in_one_place(changes: dict[str, str], why: str) -> None:
    assert any(why in problem for problem in problems(changes, ring("store", key("a", SECRET))))


def test_an_account_links_key_is_none_of_the_keyrings() -> None:
    changes = {
        "gateway.yaml": CHANGES["store"]["gateway.yaml"] + "accounts: {keys: [{id: l, secret: {file: links}}]}\n"
    }
    secret = {"file:links": SECRET["secret"].encode(), **ring("store", key("a", SECRET))}
    assert any("this is a key of the store" in problem for problem in problems(changes, secret))


def test_what_a_folder_gives_is_what_is_in_force_and_a_ring_by_itself_is_whole(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    for path, text in {**BASE, **CHANGES["store"]}.items():
        (policies / path).parent.mkdir(parents=True, exist_ok=True)
        (policies / path).write_text(text)
    keys = (
        key("next", SECRET, 3600),
        RingKey("over", NOW - 9, NOW - 1, SECRET),
        key("old", SECRET, -9),
        key("used", SECRET, -5),
    )
    whole = keyring_text(Keyring("store", keys))
    (policies / "ring").write_bytes(whole)
    files = read_folder(policies)
    in_order = keyring_text(Keyring("store", (keys[3], keys[0], keys[2])))
    assert [one.key for one in files.keyrings] == ["file:ring"]
    assert files.secrets["file:ring"] == in_order
    assert read_keyrings(policies, files.keyrings) == {"file:ring": whole}
    (policies / "ring").write_text("no ring")
    assert read_folder(policies).secrets["file:ring"] == b"no ring"
    (policies / "ring").unlink()
    assert read_keyrings(policies, files.keyrings) == {}
