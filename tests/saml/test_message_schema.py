import pytest

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.document import parse
from gateway.saml.message_schema import SCHEMA, check_message
from gateway.saml.names import samlp
from tests.saml.idp import build, written
from tests.saml.scene import SCENE
from tests.saml.shapes import SHAPES as PRODUCTS

P = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
HEAD = f'{P} ID="_x" Version="2.0" IssueInstant="2027-01-15T08:00:00Z"'


def refused(document: str, *tags: str) -> tuple[Code, str]:
    with pytest.raises(GatewayError) as error:
        check_message(parse(document.encode()).root, *(tags or (samlp("LogoutRequest"),)))
    return error.value.code, error.value.detail


@pytest.mark.parametrize("product", PRODUCTS)
def test_each_product_s_response_fits_the_table(product: str) -> None:
    check_message(parse(written(build(SCENE, product))).root, samlp("Response"))


def test_every_element_that_a_shape_names_has_a_shape() -> None:
    named = {tag for shape in SCHEMA.values() for slot in shape.slots for tag in slot.tags}
    assert named <= set(SCHEMA)


def test_a_shape_holds_text_or_elements_or_neither() -> None:
    assert not [tag for tag, shape in SCHEMA.items() if bool(shape.text) + bool(shape.slots) + bool(shape.within) > 1]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (f"<p:Response {HEAD}/>", "where LogoutRequest is expected"),
        (f"<LogoutRequest {HEAD}/>", "where LogoutRequest is expected"),
        (f"<p:LogoutRequest {HEAD}/>", "lacks NameID or EncryptedID"),
        (f"<p:LogoutRequest {HEAD}><a:NameID>x</a:NameID><a:NameID>y</a:NameID></p:LogoutRequest>", "not expected"),
        (f"<p:LogoutRequest {HEAD}><a:NameID>x</a:NameID><a:Issuer>i</a:Issuer></p:LogoutRequest>", "not expected"),
        (f"<p:LogoutRequest {HEAD}><a:NameID>x</a:NameID><a:BaseID/></p:LogoutRequest>", "unknown element"),
        (f"<p:LogoutRequest {HEAD}><NameID>x</NameID></p:LogoutRequest>", "lacks NameID"),
        (f"<p:LogoutRequest {HEAD}>x<a:NameID>x</a:NameID></p:LogoutRequest>", "text between"),
        (f"<p:LogoutRequest {HEAD}><a:NameID>x</a:NameID>x</p:LogoutRequest>", "text between"),
        (f"<p:LogoutRequest {HEAD}><a:NameID>x<a:NameID/></a:NameID></p:LogoutRequest>", "element in its text"),
        (f"<p:LogoutRequest {HEAD} a='x'><a:NameID>x</a:NameID></p:LogoutRequest>", "attribute that is not"),
        (f"<p:LogoutRequest {HEAD} a:Reason='x'><a:NameID>x</a:NameID></p:LogoutRequest>", "attribute that is not"),
        (f"<p:LogoutRequest {HEAD} xml:base='u:x'><a:NameID>x</a:NameID></p:LogoutRequest>", "attribute that is not"),
        (f"<p:LogoutRequest {P} ID='_x' Version='2.0'><a:NameID>x</a:NameID></p:LogoutRequest>", "lacks IssueInstant"),
        (
            (
                f"<p:LogoutRequest {HEAD}><p:Extensions><b><a:Assertion/></b></p:Extensions><a:NameID>x</a:NameID>"
                "</p:LogoutRequest>"
            ),
            "Assertion is not expected in Extensions",
        ),
    ],
)
def test_what_is_not_in_the_table_is_refused(document: str, why: str) -> None:
    code, detail = refused(document)
    assert code is saml_codes.SHAPE
    assert why in detail


def test_extensions_of_others_are_passed_over() -> None:
    document = (
        f"<p:LogoutRequest {HEAD}><p:Extensions><b c='d'>x</b></p:Extensions><a:NameID>x</a:NameID></p:LogoutRequest>"
    )
    check_message(parse(document.encode()).root, samlp("LogoutRequest"))


@pytest.mark.parametrize("version", ["1.1", "2.1", "2", " 2.0", ""])
def test_another_version_is_another_protocol(version: str) -> None:
    document = f"<p:LogoutRequest {HEAD}><a:NameID>x</a:NameID></p:LogoutRequest>".replace('"2.0"', f'"{version}"')
    assert refused(document)[0] is saml_codes.VERSION


def test_ids_are_told_apart() -> None:
    document = (
        f"<p:LogoutRequest {HEAD}><p:Extensions><b id='_x'/></p:Extensions><a:NameID>x</a:NameID></p:LogoutRequest>"
    )
    assert refused(document)[0] is saml_codes.ID
