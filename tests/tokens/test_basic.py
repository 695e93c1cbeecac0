"""HTTP Basic towards an application: whose account, and one secret that nobody is shown."""

import base64
from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.tokens.basic import basic_line, described_basic, fixed_line
from gateway.tokens.spec import BasicSpec, TokenClaim
from tests.tokens.test_making import HELENE

OF_EVERYBODY = BasicSpec(TokenClaim("account", text="svc"), "motdepassé")
BY_PERSON = BasicSpec(TokenClaim("account", "uid"), "motdepassé")


def pair(line: bytes) -> bytes:
    before, _, coded = line.partition(b"Basic ")
    assert before == b"\r\nAuthorization: "
    return base64.b64decode(coded, validate=True)


def test_an_account_for_everybody_or_one_for_each_person_with_one_secret() -> None:
    assert pair(basic_line(OF_EVERYBODY, HELENE)) == "svc:motdepassé".encode()
    assert pair(basic_line(BY_PERSON, HELENE)) == "helene:motdepassé".encode()
    assert pair(basic_line(replace(BY_PERSON, charset="latin-1"), HELENE)) == "helene:motdepassé".encode("latin-1")


def test_each_person_may_have_a_secret_of_a_directory() -> None:
    own = BasicSpec(TokenClaim("account", "uid"), "", "secret:grr")
    who = replace(HELENE, attributes={**HELENE.attributes, "secret:grr": ("à elle",)})
    assert pair(basic_line(own, who)) == "helene:à elle".encode()
    assert fixed_line(own) == b""
    assert described_basic(own, who) == {"Authorization": "(Basic, as helene, with a secret)"}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((), "Authorization: no directory gives this person a secret"),
        (("a", "b"), "Authorization: no directory gives this person a secret"),
        (("a\nb",), "Authorization: a control character in this person's secret"),
        (("αβγ",), "Authorization: a letter of the secret is not in latin-1"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_it(values: tuple[str, ...], why: str) -> None:
    own = BasicSpec(TokenClaim("account", "uid"), "", "secret:grr", "latin-1")
    with pytest.raises(GatewayError) as refused:
        basic_line(own, replace(HELENE, attributes={**HELENE.attributes, "secret:grr": values}))
    assert refused.value.detail == why


def test_without_the_person_only_everybodys_account_is_known() -> None:
    assert fixed_line(OF_EVERYBODY) == basic_line(OF_EVERYBODY, HELENE)
    assert fixed_line(BY_PERSON) == b""


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((), "Authorization: this person has no account"),
        (("",), "Authorization: this person has no account"),
        (("a", "b"), "claim account: 2 values"),
        (("admin:x",), "Authorization: a colon in the account"),
        (("admin ",), "claim account: white space at an end"),
        (("\u2003admin",), "claim account: white space at an end"),
        (("a\r\nb",), "claim account: a control character"),
        (("αβγ",), "Authorization: U+03B1 is not in latin-1"),
    ],
)
def test_an_account_that_is_none_is_refused_without_its_name(values: tuple[str, ...], why: str) -> None:
    who = replace(HELENE, attributes={"uid": values} if values else {})
    with pytest.raises(GatewayError) as refused:
        basic_line(replace(BY_PERSON, charset="latin-1"), who)
    assert refused.value.code.id == "translation.unencodable"
    assert refused.value.detail.startswith(why)


def test_no_secret_is_shown() -> None:
    assert described_basic(BY_PERSON, HELENE) == {"Authorization": "(Basic, as helene, with a secret)"}
    assert "motdepass" not in repr(BY_PERSON)
