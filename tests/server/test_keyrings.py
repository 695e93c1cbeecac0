"""Keyrings are looked at between reloads: a key that has come, begun or ended is taken, and a bad one tried later."""

import time
from dataclasses import replace
from pathlib import Path

from gateway.config.compile.build import build_gateway
from gateway.config.compile.gateway import service_provider
from gateway.config.compile.plan import encode_plan, lines_of, revision_of
from gateway.config.keyring import Keyring, RingKey, RingKind, keyring_text
from gateway.config.schema.scalars import Reference
from gateway.model.provider import ClientKey, OidcProvider
from gateway.saml.parties import KeyPair
from gateway.server.compiling import Live, digest
from gateway.server.keyrings import Keyrings
from tests.config.samples import sample_snapshot
from tests.oidc.samples import PROVIDER

RING = Reference("file", "ring")
SECRET = {"secret": "0123456789abcdef" * 4}


def live(content: bytes) -> Live:
    return Live(b"", "", sample_snapshot().gateway, keyrings={RING: digest(content)})


def written(folder: Path, *keys: RingKey) -> bytes:
    (folder / "ring").write_bytes(content := keyring_text(Keyring("store", keys)))
    return content


def test_a_reload_is_due_when_a_key_comes_begins_or_ends(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    first, second = RingKey("a", now - 9, None, SECRET), RingKey("b", now + 3600, None, SECRET)
    taken = live(written(tmp_path, first))
    assert not keyrings.due(taken, now)
    later = written(tmp_path, first, second)
    assert keyrings.due(taken, now)
    assert not keyrings.due(live(later), now)
    begun = RingKey("b", now - 1, None, SECRET)
    written(tmp_path, first, begun)
    assert keyrings.due(live(later), now)
    in_order = keyring_text(Keyring("store", (begun, first)))
    assert not keyrings.due(live(in_order), now)
    written(tmp_path, RingKey("a", now - 9, now - 1, SECRET), begun)
    assert keyrings.due(live(in_order), now)


def test_what_cannot_be_taken_is_tried_again_after_ten_minutes_and_another_at_once(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    taken = live(written(tmp_path, RingKey("a", now - 9, None, SECRET)))
    (tmp_path / "ring").write_text("no ring")
    assert [keyrings.due(taken, now + after) for after in (0, 60, 599, 600, 660)] == [True, False, False, True, False]
    (tmp_path / "ring").write_text("another")
    assert keyrings.due(taken, now + 660)


def test_one_that_cannot_be_read_is_as_it_was(tmp_path: Path) -> None:
    taken = live(written(tmp_path, RingKey("a", int(time.time()) - 9, None, SECRET)))
    (tmp_path / "ring").unlink()
    assert not Keyrings(tmp_path).due(taken, time.time())


def served(content: bytes, *ids: str) -> Live:
    gateway = replace(sample_snapshot().gateway, store_keys=tuple((id, b"0" * 32) for id in ids))
    return replace(live(content), plan=encode_plan([gateway]), gateway=gateway)


def test_an_ended_store_key_is_taken_away_without_the_rest_of_the_folder(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    first, second, third = (
        RingKey(id, now + since, until, SECRET)
        for id, since, until in (("a", -9, None), ("b", -5, None), ("c", 99, None))
    )
    taken = served(written(tmp_path, first, second, third), "a", "c", "b")
    assert keyrings.without_ended(taken, now) == (taken, ())
    written(tmp_path, replace(first, until=now), second, third)
    assert keyrings.due(taken, now)
    after, ended = keyrings.without_ended(taken, now)
    assert ended == ("store a",)
    assert [id for id, _ in after.gateway.store_keys] == ["b", "c"], "one that is yet to come does not seal"
    assert build_gateway(after.plan).store_keys == after.gateway.store_keys
    assert after.revision == revision_of(after.plan) != taken.revision
    assert not keyrings.due(after, now + 60), "the folder is tried after ten minutes"


def test_a_store_key_ends_at_its_date_although_its_file_cannot_be_read_any_more(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    first, second = RingKey("a", now - 9, now + 60, SECRET), RingKey("b", now - 5, None, SECRET)
    taken = served(written(tmp_path, first, second), "b", "a")
    keyrings.look(taken)
    (tmp_path / "ring").unlink()
    assert not keyrings.due(taken, now + 59)
    assert keyrings.due(taken, now + 60)
    assert keyrings.without_ended(taken, now + 60)[1] == ("store a",)
    (tmp_path / "ring").write_text("no ring")
    assert keyrings.without_ended(taken, now + 60)[1] == ("store a",)


def test_the_last_key_is_not_taken_away_and_no_key_of_another_ring(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    taken = served(written(tmp_path, RingKey("a", now - 9, now, SECRET)), "a")
    assert keyrings.without_ended(taken, now) == (taken, ())
    keys_of_the_file = replace(served(b"", "a", "b"), keyrings={})
    assert keyrings.without_ended(keys_of_the_file, now) == (keys_of_the_file, ())


# --- keys towards providers

OWN = [KeyPair(id, f"key {id}".encode(), b"certificate") for id in ("a", "b", "c")]
CLIENT = [ClientKey(id, "ES256", f"client key {id}".encode()) for id in ("a", "b", "c")]
FILES = {"saml": Reference("file", "saml"), "client": Reference("file", "client")}


def towards_providers(folder: Path, kind: RingKind, *dates: tuple[str, int, int | None], words: str = "key") -> bytes:
    parts = {"saml": {"certificate": "certificate"}, "client": {"algorithm": "ES256"}}[kind]
    keys = [RingKey(id, since, until, {"key": f"{words} {id}", **parts}) for id, since, until in dates]
    (folder / kind).write_bytes(content := keyring_text(Keyring(kind, tuple(keys))))
    return content


def with_providers(saml: bytes, client: bytes) -> Live:
    sp = service_provider("https://portail.example", (OWN[0], OWN[2], OWN[1]))
    gateway = replace(sample_snapshot().gateway, service_provider=sp)
    known = replace(PROVIDER, name="known", client_keys=(CLIENT[0], CLIENT[1]))
    another = replace(PROVIDER, name="another", client_keys=(replace(CLIENT[0], pem=b"another key of this id"),))
    plan = encode_plan([gateway, known, another])
    keyrings = {FILES["saml"]: digest(saml), FILES["client"]: digest(client)}
    return Live(plan, revision_of(plan), gateway, keyrings=keyrings)


def test_keys_towards_providers_end_at_their_date_without_the_rest_of_the_folder(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    saml = towards_providers(tmp_path, "saml", ("a", now - 9, now + 60), ("b", now - 5, None), ("c", now + 99, None))
    client = towards_providers(tmp_path, "client", ("a", now - 9, now + 60), ("b", now, None), words="client key")
    taken = with_providers(saml, client)
    keyrings.look(taken)
    assert keyrings.without_ended(taken, now + 59) == (taken, ())
    for name in FILES:
        (tmp_path / name).unlink()
    assert keyrings.due(taken, now + 60)
    after, ended = keyrings.without_ended(taken, now + 60)
    assert ended == ("saml a", "client a")
    assert after.gateway.service_provider is not None
    assert after.gateway.service_provider.keys == (OWN[1], OWN[2]), "one that is yet to come does not sign"
    assert build_gateway(after.plan).service_provider == after.gateway.service_provider
    kept = {provider.name: provider.client_keys for provider in lines_of(after.plan, OidcProvider)}
    assert kept == {"known": (CLIENT[1],), "another": (replace(CLIENT[0], pem=b"another key of this id"),)}
    assert after.revision == revision_of(after.plan) != taken.revision
    assert keyrings.without_ended(after, now + 60) == (after, ())


def test_the_last_key_towards_a_provider_stays(tmp_path: Path) -> None:
    now, keyrings = int(time.time()), Keyrings(tmp_path)
    dates = [(id, now - 9, now) for id in ("a", "b", "c")]
    saml = towards_providers(tmp_path, "saml", *dates)
    taken = with_providers(saml, towards_providers(tmp_path, "client", *dates, words="client key"))
    assert keyrings.without_ended(taken, now) == (taken, ())
