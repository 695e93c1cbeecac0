import pytest

from gateway.saml.message import add, new_message, written
from gateway.saml.names import saml, samlp
from tests.saml.parties import NOW


def test_text_is_escaped_wherever_it_stands() -> None:
    message = new_message("AuthnRequest", id="_1", now=NOW, issuer="a<b&c", destination='https://idp/?a=1&b="')
    add(message, samlp("Extensions"), "]]>", Note="é\n")
    assert written(message) == (
        b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
        b'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_1" Version="2.0" '
        b'IssueInstant="2027-01-15T08:00:00Z" Destination="https://idp/?a=1&amp;b=&quot;">'
        b'<saml:Issuer>a&lt;b&amp;c</saml:Issuer><samlp:Extensions Note="\xc3\xa9&#10;">]]&gt;</samlp:Extensions>'
        b"</samlp:AuthnRequest>"
    )


def test_an_attribute_that_is_none_is_left_out_and_an_empty_one_is_not() -> None:
    message = new_message("LogoutRequest", id="_1", now=NOW, issuer="us", destination="https://idp")
    assert dict(add(message, saml("NameID"), "x", Format=None, NameQualifier="").attrib) == {"NameQualifier": ""}


def test_what_xml_cannot_hold_is_refused() -> None:
    message = new_message("LogoutRequest", id="_1", now=NOW, issuer="us", destination="https://idp")
    with pytest.raises(ValueError, match="XML compatible"):
        add(message, saml("NameID"), "a\x00b")
