import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import store_codes
from gateway.model.directory import DirectoryFinding
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import TermOfOffice
from gateway.model.session import Session, Tokens
from gateway.model.transaction import HandOver
from gateway.stores import codec
from gateway.stores.codec import StoredSession
from tests.stores.samples import JEANNE, NOW, login, transaction

TEXTS = st.text(max_size=20)


@given(
    st.builds(
        Identity,
        provider=TEXTS,
        issuer=TEXTS,
        subject=TEXTS,
        attributes=st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, max_size=3).map(tuple), max_size=4),
        left_out=st.frozensets(TEXTS, max_size=3),
        acr=st.none() | TEXTS,
        amr=st.lists(TEXTS, max_size=3).map(tuple),
        authenticated_at=st.integers(0, 1 << 40),
    ),
    st.none() | TEXTS,
)
def test_a_session_comes_back_as_it_went(identity: Identity, optional: str | None) -> None:
    name_id = None if optional is None else (optional, None, optional, None, "")
    session = Session("id", identity, optional, NOW, NOW + 10, 5, optional, optional, name_id)
    stored = StoredSession(session, "browser")
    assert codec.session_from_bytes(codec.session_to_bytes(stored)) == stored


def test_a_session_that_an_older_release_wrote_has_defaults_for_what_it_lacks() -> None:
    stored = StoredSession(Session("id", JEANNE, None, NOW, NOW + 10, 5), "browser")
    values = codec._session_values(codec.session_to_bytes(stored))
    del (
        values["id_token"],
        values["sid"],
        values["name_id"],
        values["identity"]["acr"],
        values["identity"]["authenticated_at"],
    )
    read = codec.session_from_bytes(json.dumps(values).encode())
    assert (read.session.id_token, read.session.sid, read.session.identity.acr) == (None, None, None)


def test_the_others_come_back_as_they_went() -> None:
    hand_over = HandOver("permis", "permis.localhost", "/é", "binding", "id", bytes(range(32)), "metropole", NOW)
    assert codec.HAND_OVER.read(codec.HAND_OVER.write(hand_over)) == hand_over
    assert codec.transaction_from_bytes(codec.transaction_to_bytes(transaction())) == transaction()
    assert codec.login_from_bytes(codec.login_to_bytes(login())) == login()


def test_mandates_come_back_with_their_days_and_what_is_held_now_is_not_kept() -> None:
    terms = (TermOfOffice("maire", "215903501", "2020-05-25", "2026-03-29", "Europe/Paris"),)
    finding = DirectoryFinding("elus", "f1", "found", {"uai": ("1",)}, frozenset({"x"}), 7, terms)
    identity = replace(JEANNE, findings=(finding,), terms=terms)
    kept = codec.session_to_bytes(StoredSession(Session("i", identity, None, NOW, NOW, 1), "b"))
    assert codec.session_from_bytes(kept).session.identity == replace(identity, terms=None)
    without = replace(JEANNE, findings=(replace(finding, terms=()),))
    assert b"terms" not in codec.session_to_bytes(StoredSession(Session("i", without, None, NOW, NOW, 1), "b"))


def test_that_a_directory_had_the_person_is_kept_and_a_record_without_it_reads_as_before() -> None:
    away = DirectoryFinding("elus", "f1", "away", {}, frozenset({"uai"}), 7)
    for finding in (away, replace(away, was_found=True)):
        identity = replace(JEANNE, findings=(finding,))
        kept = codec.session_to_bytes(StoredSession(Session("i", identity, None, NOW, NOW, 1), "b"))
        assert codec.session_from_bytes(kept).session.identity == identity
    assert b"was_found" not in codec.finding_to_bytes(away)
    assert codec.finding_from_bytes(codec.finding_to_bytes(away)) == away


def twenty(length: int = 24) -> Session:
    attributes = {f"attribute{number}": (f"{number:02}".ljust(length, "v"),) for number in range(20)}
    identity = replace(JEANNE, attributes=attributes)
    return Session("id", identity, "21590350100017", NOW, NOW + 10, 5, "header.payload.signature", "sid")


def test_a_session_that_version_1_wrote_is_read() -> None:
    before = {
        **{name: getattr(twenty(), name) for name in ("id", "tenant", "created_at", "expires_at", "idle", "id_token")},
        "identity": codec._identity_fields(JEANNE),
        "browser": "browser",
    }
    stored = codec.session_from_bytes(json.dumps(before).encode())
    assert (stored.session.identity, stored.session.id_token) == (JEANNE, "header.payload.signature")


def test_a_session_with_twenty_attributes_takes_less_than_half_of_its_json() -> None:
    stored = StoredSession(twenty(), "b" * 64)
    deflated = codec.session_to_bytes(stored)
    assert codec.session_from_bytes(deflated) == stored
    assert len(deflated) < 0.5 * len(json.dumps(codec._session_values(deflated)))


def test_no_secret_is_deflated_beside_what_others_may_choose() -> None:
    """Its length would tell whether an attribute repeats it."""
    secret = "refresh-token-0123456789"
    lengths = set()
    for guess in (secret, secret.swapcase(), secret[::-1]):
        session = replace(twenty(), tokens=Tokens(secret, NOW, 0), id_token=secret)
        kept = codec.session_to_bytes(StoredSession(session, secret))
        assert kept.count(secret.encode()) == 3
        with_guess = replace(session, identity=replace(JEANNE, attributes={"note": (guess,)}))
        without = codec.session_to_bytes(StoredSession(with_guess, "browser"))
        bare = replace(with_guess, tokens=None, id_token=None)
        lengths.add(len(without) - len(codec.session_to_bytes(StoredSession(bare, "browser"))))
    assert len(lengths) == 1


@pytest.mark.parametrize("cut", [0, 1, 4, 5, 40, -1])
def test_a_deflated_session_that_is_cut_is_unreadable(cut: int) -> None:
    kept = codec.session_to_bytes(StoredSession(twenty(), "browser"))
    with pytest.raises(GatewayError) as refused:
        codec.session_from_bytes(kept[:cut])
    assert refused.value.code is store_codes.UNREADABLE


def test_whatever_directories_may_say_of_a_person_comes_back() -> None:
    # Two answers of the largest size that is taken (ldap_reader.LARGEST_RESPONSE), in letters that have accents.
    values = {"groups": tuple(f"{number} {'é' * 1000}" for number in range(500))}
    findings = tuple(DirectoryFinding(name, "print", "found", values) for name in ("staff", "offices"))
    session = Session("id", replace(JEANNE, findings=findings), None, NOW, NOW + 10, 5)
    stored = StoredSession(session, "browser")
    assert codec.session_from_bytes(codec.session_to_bytes(stored)) == stored


def test_what_would_inflate_without_end_is_unreadable() -> None:
    deflated = zlib.compress(b" " * (17 << 20), 1, wbits=-zlib.MAX_WBITS)
    with pytest.raises(GatewayError) as refused:
        codec.session_from_bytes(b"\1" + len(deflated).to_bytes(4, "big") + deflated + b"{}")
    assert refused.value.code is store_codes.UNREADABLE


@pytest.mark.parametrize(
    ("form", "record"),
    [
        (codec.OPENID_LOGOUT, b'{"provider": 1, "home": ""}'),
        (codec.SAML_LOGOUT, b'{"provider": "rectorat", "request_id": "_3", "home": null}'),
        (codec.APPLICATION_SESSION, b'{"fingerprint": "f", "login": "l", "cookies": "no base64!"}'),
        (codec.HAND_OVER, b'["permis"]'),
    ],
)
def test_a_record_with_a_value_of_another_type_is_unreadable(form: codec.Form[object], record: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        form.read(record)
    assert refused.value.code == store_codes.UNREADABLE
