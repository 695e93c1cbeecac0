import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.mail import looks_like_an_address, mail_domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("a@corp.example", "corp.example"),
        ("a.b+c@Corp.EXAMPLE", "corp.example"),
        ("o'neil_42@sub.corp.example", "sub.corp.example"),
        ("a@xn--mtropole-b1a.example", "xn--mtropole-b1a.example"),
        ("a@" + "b" * 63 + ".example", "b" * 63 + ".example"),
    ],
)
def test_one_local_part_and_one_domain(address: str, domain: str) -> None:
    assert mail_domain(address) == domain


@pytest.mark.parametrize(
    "address",
    [
        "", "@", "a", "a@", "@corp.example", "a@localhost", "a@corp..example", "a@.corp.example", "a@corp.example.",
        "a@-corp.example", "a@corp-.example", "a@" + "b" * 64 + ".example", "a" * 250 + "@b.example",
        "a@evil.test@corp.example", '"a@corp.example"@evil.test', '"a"@corp.example', "a b@corp.example",
        "a@corp.example ", " a@corp.example", "a@corp.example\n", "a@corp.example\x00", "a@corp_x.example",
        ".a@corp.example", "a.@corp.example", "a..b@corp.example", "é@corp.example", "a@é.example",
        "a@corp。example", "a@[127.0.0.1]", "a(x)@corp.example", "a@corp.example(x)", "A <a@corp.example>",
        "a@corp.example,b@corp.example", "a@corp.example;b", "mailto:a@corp.example", "a\\@corp.example",
    ],
)  # fmt: skip
def test_any_other_form_has_no_domain(address: str) -> None:
    assert mail_domain(address) is None


@given(st.text(alphabet='aA0.@-"() \n\u3002é', max_size=20))
def test_a_domain_is_what_stands_after_the_only_at_sign(address: str) -> None:
    domain = mail_domain(address)
    if domain is not None:
        local, at, rest = address.partition("@")
        assert local
        assert at
        assert rest.lower() == domain


def test_a_hostile_address_comes_to_an_end() -> None:
    """Where the pattern could split it in more ways than one, 2 to the power of 100 steps would be tried."""
    assert mail_domain("a@" + "a-" * 100 + "!") is None
    assert mail_domain("a." * 120 + "!") is None


def test_every_letter_that_normalises_to_the_sign_is_one() -> None:
    letters = map(chr, range(sys.maxunicode + 1))
    signs = {letter for letter in letters if "@" in unicodedata.normalize("NFKC", letter)}
    assert len(signs) >= 3
    assert all(looks_like_an_address(f"a{sign}b") for sign in signs)


def test_a_percent_encoded_sign_is_one() -> None:
    """It has no domain either: what one application decodes, another takes as it is."""
    assert looks_like_an_address("a%40b.example")
    assert mail_domain("a%40b.example") is None
    assert mail_domain("a%40evil.example@b.example") is None


@pytest.mark.parametrize("text", ["", "hleboeuf", "a at b.example", "a%4b.example", "a%2540b", "H\u00e9l\u00e8ne"])
def test_what_nobody_reads_as_an_address(text: str) -> None:
    assert not looks_like_an_address(text)
