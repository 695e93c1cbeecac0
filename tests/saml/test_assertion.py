from typing import Any

import pytest

from gateway.model.assertion import LONGEST_NAME, Assertion, NameId
from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.assertion import satisfies
from tests.saml.forging import add, before, both, remove
from tests.saml.idp import at
from tests.saml.scene import NOW, SCENE, SP, provider, validated

NAME_ID = '<a:NameID Format="f">pseudonym</a:NameID>'
FIRST = "//a:Attribute[1]"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def saying(**values: Any) -> Assertion:
    return validated(before(lambda root, scene: None, **values)(SCENE))


def name_in(said: Assertion) -> NameId:
    assert said.name_id is not None
    return said.name_id


def refused(**values: Any) -> Code:
    with pytest.raises(GatewayError) as error:
        saying(**values)
    return error.value.code


@pytest.mark.parametrize("value", ["x", "Hélène", "CN=Hélène, OU=Mairie", "a b", "Ω", "x" * LONGEST_NAME])
def test_a_name_is_read_to_the_letter(value: str) -> None:
    assert name_in(saying(name_id=value)).value == value


@pytest.mark.parametrize(
    "value",
    ["", " ", " x", "x ", "x\ny", "x\u200by", "x\u202ey", "x\u00a0y", "x\u2028", "\uff41dmin", "He\u0301lene", "ﬁ"],
)
def test_a_name_that_looks_like_another_is_none(value: str) -> None:
    assert refused(name_id=value) is saml_codes.SUBJECT


def test_a_name_has_an_end() -> None:
    assert refused(name_id="x" * (LONGEST_NAME + 1)) is saml_codes.SUBJECT


@pytest.mark.parametrize(
    ("xml", "values"),
    [
        ("<a:AttributeValue>x</a:AttributeValue>", ("x",)),
        ("<a:AttributeValue/>", ("",)),
        ("<a:AttributeValue> x\n</a:AttributeValue>", (" x\n",)),
        (f"<a:AttributeValue>{NAME_ID}</a:AttributeValue>", ("pseudonym",)),
        (f'<a:AttributeValue xmlns:xsi="{XSI}" xsi:nil="true"/>', ()),
        ('<a:AttributeValue><b xmlns="u:b">x</b></a:AttributeValue>', ()),
        ('<a:AttributeValue>x<b xmlns="u:b">x</b></a:AttributeValue>', ()),
        ("<a:AttributeValue>x<![CDATA[<y>]]>&amp;</a:AttributeValue>", ("x<y>&",)),
    ],
)
def test_values_of_an_attribute(xml: str, values: tuple[str, ...]) -> None:
    change = add("//a:AttributeStatement", f'<a:Attribute Name="n">{xml}</a:Attribute>')
    found = validated(before(change)(SCENE)).attributes[-1]
    assert (found.name, found.friendly_name, found.values) == ("n", None, values)


def test_an_attribute_without_values_and_a_name_twice() -> None:
    change = add("//a:AttributeStatement", '<a:Attribute Name="n"/>')
    assert validated(before(change)(SCENE)).attributes[-1].values == ()


def test_the_name_format_that_was_asked_for_is_the_one_that_comes() -> None:
    transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    make = before(lambda root, scene: None)
    for asked in (transient, None, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"):
        assert validated(make(SCENE), of=provider(name_id_format=asked))
    with pytest.raises(GatewayError) as error:
        validated(make(SCENE), of=provider(name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"))
    assert error.value.code is saml_codes.SUBJECT


NAMELESS = before(remove("//a:Subject/a:NameID"))


def test_who_has_no_name_id_is_somebody_only_where_the_provider_file_says_by_what() -> None:
    with pytest.raises(GatewayError) as error:
        validated(NAMELESS(SCENE))
    assert error.value.code is saml_codes.SUBJECT
    assert "subject_without_name_id" in error.value.detail
    named = provider(subject_without_name_id="mail", name_id_format="urn:example:any")
    assert validated(NAMELESS(SCENE), of=named).name_id is None


def test_a_name_of_the_confirmation_is_not_the_subject_s() -> None:
    change = add("//a:SubjectConfirmation", "<a:NameID>admin</a:NameID>", at=0)
    nameless = before(both(remove("//a:Subject/a:NameID"), change))(SCENE)
    assert validated(nameless, of=provider(subject_without_name_id="mail")).name_id is None


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("issued", "assertion_issued"), saml_codes.ISSUE_INSTANT),
        (("not_before",), saml_codes.NOT_BEFORE),
        (("authn_instant",), saml_codes.AUTHN_INSTANT),
    ],
)
def test_what_is_ahead_of_the_clock_by_more_than_the_skew_is_refused(names: tuple[str, ...], code: Code) -> None:
    assert saying(**dict.fromkeys(names, at(NOW + 180)))
    assert refused(**dict.fromkeys(names, at(NOW + 181))) is code


@pytest.mark.parametrize("place", [1, 2])
def test_of_two_confirmations_the_longer_is_how_long_it_is_remembered(place: int) -> None:
    """Once the shorter is over, the longer would let it in again."""
    shorter = (
        '<a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><a:SubjectConfirmationData '
        f'Recipient="{SP.acs}" InResponseTo="_request-1" NotOnOrAfter="{at(NOW + 30)}"/></a:SubjectConfirmation>'
    )
    document = before(add("//a:Subject", shorter, at=place))(SCENE)
    assert validated(document).expires == NOW + 300 + 180
    assert validated(document, now=NOW + 250).expires == NOW + 300 + 180


def test_one_confirmation_that_holds_is_enough() -> None:
    other = (
        '<a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        '<a:SubjectConfirmationData Recipient="https://other.example"/></a:SubjectConfirmation>'
    )
    assert validated(before(add("//a:Subject", other, at=1))(SCENE))
    assert validated(before(add("//a:Subject", other))(SCENE))


LOW, SUBSTANTIAL, HIGH = (f"http://eidas.europa.eu/LoA/{level}" for level in ("low", "substantial", "high"))
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
UNSPECIFIED = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
X509 = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"


@pytest.mark.parametrize(
    ("stated", "asked", "comparison", "answer"),
    [
        (None, (), "exact", True),
        (PASSWORD, (), "minimum", True),
        (None, (PASSWORD,), "exact", False),
        (None, (PASSWORD,), "minimum", False),
        (PASSWORD, (PASSWORD,), "exact", True),
        (PASSWORD, (X509, PASSWORD), "exact", True),
        (X509, (PASSWORD,), "exact", False),
        (HIGH, (SUBSTANTIAL,), "exact", False),
        (HIGH, (SUBSTANTIAL,), "minimum", True),
        (SUBSTANTIAL, (SUBSTANTIAL,), "minimum", True),
        (LOW, (SUBSTANTIAL,), "minimum", False),
        (LOW, (HIGH, LOW), "minimum", True),
        ("eidas1", ("eidas2",), "minimum", False),
        ("eidas3", ("eidas2",), "minimum", True),
        (HIGH, (LOW, SUBSTANTIAL), "better", True),
        (SUBSTANTIAL, (LOW, SUBSTANTIAL), "better", False),
        (LOW, (SUBSTANTIAL,), "maximum", True),
        (HIGH, (SUBSTANTIAL,), "maximum", False),
        (HIGH, (LOW, HIGH), "maximum", True),
        (PASSWORD, (X509, PASSWORD), "minimum", True),
        (PASSWORD, (PASSWORD,), "maximum", True),
        # Between these only the provider knows, and it may not have looked at what was asked
        (X509, (PASSWORD,), "minimum", False),
        (UNSPECIFIED, (PASSWORD,), "minimum", False),
        (PASSWORD, (SUBSTANTIAL,), "minimum", False),
        (SUBSTANTIAL, (PASSWORD,), "minimum", False),
        (HIGH, (PASSWORD, SUBSTANTIAL), "minimum", True),
        ("eidas1", (SUBSTANTIAL,), "minimum", False),
        ("eidas3", (SUBSTANTIAL, "eidas2"), "minimum", True),
        ("eidas1", (LOW, "eidas2"), "minimum", False),
        (X509, (PASSWORD,), "better", False),
        (PASSWORD, (PASSWORD,), "better", False),
        (HIGH, (PASSWORD, SUBSTANTIAL), "better", False),
        (X509, (PASSWORD,), "maximum", False),
        ("eidas1", (SUBSTANTIAL,), "maximum", False),
    ],
)
def test_a_context_answers_what_was_asked(
    stated: str | None, asked: tuple[str, ...], comparison: str, answer: bool
) -> None:
    assert satisfies(stated, asked, comparison) is answer
