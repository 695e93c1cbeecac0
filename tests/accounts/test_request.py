"""What is kept of a request: who asks, as their provider says it, and what they wrote, without what is not seen."""

import pytest

from gateway.accounts.request import LONGEST_TEXT, checked_text, request_of
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from tests.accounts.samples import ISSUER, holder

HELENE = {"name": ("Hélène\u202e Durand",), "mail": ("h@ville.example", "second@ville.example"), "email": ("other",)}


def of(attributes: dict[str, tuple[str, ...]], tenant: str | None = None) -> Identity:
    return Identity("op", ISSUER, "helene", attributes)


def test_it_says_who_asks_as_the_provider_says_it() -> None:
    found = request_of(holder(), of(HELENE), "21590350100017", "Bonjour")
    assert (found.subject, found.name, found.mail) == ("helene", "Hélène Durand (h@ville.example)", "h@ville.example")
    assert (found.organisation, found.text, found.holder) == ("21590350100017", "Bonjour", holder())
    bare = request_of(holder(), of({}), None, "")
    assert (bare.subject, bare.name, bare.mail, bare.organisation, bare.text) == ("helene", "helene", "", "", "")


def test_what_a_provider_says_is_bounded() -> None:
    found = request_of(holder(), of({"mail": ("x" * 10_000,), "name": ("y" * 10_000,)}), "z" * 10_000, "")
    assert {len(found.mail), len(found.name), len(found.organisation)} == {256}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  a  ", "a"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\n\na\n \n", "a"),
        ("a\x1b[31mb\x07\x00", "a[31mb"),
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("a\udc80b", "ab"),
        ("e\u0301", "\u00e9"),
        ("<b>&amp;", "<b>&amp;"),
        ("", ""),
    ],
)
def test_a_text_has_what_is_seen_of_it(written: str, kept: str) -> None:
    assert checked_text(written) == kept


def test_a_text_that_is_too_long_is_not_cut_but_refused() -> None:
    assert len(checked_text("é" * LONGEST_TEXT)) == LONGEST_TEXT
    with pytest.raises(GatewayError) as error:
        checked_text("secret" + "é" * LONGEST_TEXT)
    assert error.value.code is account_codes.TEXT
    assert "secret" not in error.value.detail


def test_no_representation_shows_who_asks() -> None:
    shown = repr(request_of(holder(), of(HELENE), None, "le texte"))
    assert not any(word in shown for word in ("Durand", "ville.example", "le texte"))
