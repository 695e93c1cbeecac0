import copy
from dataclasses import replace
from typing import Any

import pytest
import xmlsec
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml import signature
from gateway.saml.bindings import read_redirect, redirect_url, verify_redirect
from gateway.saml.document import parse
from gateway.saml.signature import MOST_IN_SCOPE_INCLUSIVE, MOST_PREFIXES, SignedElement, redirected, verify, within
from tests.saml import parties
from tests.saml.idp import (
    DS,
    NS,
    SAML,
    assertion,
    bare_copy,
    build,
    certificate_info,
    evil_copy,
    one,
    sign,
    sign_enveloped_alone,
    written,
)
from tests.saml.scene import KEY, METADATA, SCENE, SP, STRANGER
from tests.saml.shapes import SHAPES


def signed_assertion(**how: object) -> etree._Element:
    root = build(SCENE)
    sign(assertion(root), KEY, **how)  # type: ignore[arg-type]
    return assertion(parse(written(root)).root)


def signed_by_xmlsec(element: etree._Element) -> etree._Element:
    """Its new signature."""
    signature = xmlsec.template.create(element, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformRsaSha256)
    element.insert(1, signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(KEY.key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(element, "ID")
    context.sign(signature)
    return signature


def refused(element: etree._Element, metadata: object = METADATA) -> Code:
    with pytest.raises(GatewayError) as error:
        verify(element, metadata)  # type: ignore[arg-type]
    return error.value.code


def test_what_is_read_is_made_of_the_signed_bytes() -> None:
    element = signed_assertion()
    signed = verify(element, METADATA)
    assert signed.element is not element
    assert signed.element.getparent() is None
    assert signed.element.find(f"{{{DS}}}Signature") is None
    assert one(signed.element, "a:Subject/a:NameID").text == "AAdzZWNyZXQx"


def test_the_document_is_left_as_it_was() -> None:
    element = signed_assertion()
    before = etree.tostring(element)
    verify(element, METADATA)
    assert etree.tostring(element) == before
    verify(element, METADATA)


def test_text_around_the_signature_is_signed_too() -> None:
    root = build(SCENE)
    sign(assertion(root), KEY).tail = "\n  "
    # One space more than what was signed, on either side
    assert refused(assertion(parse(written(root)).root)) is saml_codes.SIGNATURE


@pytest.mark.parametrize("when", ["before", "afterwards"])
def test_comments_between_elements_are_not_signed_and_not_read(when: str) -> None:
    root = build(SCENE)
    element = assertion(root)
    if when == "before":
        element.insert(0, etree.Comment(" made by hand "))
    signature = signed_by_xmlsec(element)
    if when == "afterwards":
        for place in (element, one(element, "a:Subject"), signature, one(signature, "ds:SignedInfo/ds:Reference")):
            place.insert(1, etree.Comment("evil"))
    signed = verify(assertion(parse(written(root)).root), METADATA)
    assert not list(signed.element.iter(etree.Comment))
    assert one(signed.element, "a:Subject/a:NameID").text == "AAdzZWNyZXQx"


def test_namespaces_kept_by_a_prefix_list_are_those_of_the_document_around() -> None:
    root = build(SCENE, "pysaml2")
    sign(assertion(root), KEY, prefixes="xs xsi")
    signed = verify(assertion(parse(written(root)).root), METADATA)
    assert signed.element.nsmap["xs"] == "http://www.w3.org/2001/XMLSchema"


def test_a_prefix_list_has_an_end() -> None:
    root = build(SCENE, "pysaml2")
    sign(assertion(root), KEY, prefixes=" ".join(["xs xsi", *(f"p{number}" for number in range(MOST_PREFIXES - 2))]))
    assert verify(assertion(parse(written(root)).root), METADATA)


def test_xmlsec_signs_what_is_verified() -> None:
    root = build(SCENE, "keycloak")
    signed_by_xmlsec(assertion(root))
    assert verify(assertion(parse(written(root)).root), METADATA).element.get("ID") == "_assertion-1"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("of", ["assertion", "response"])
def test_the_enveloped_transform_alone(shape: str, of: str) -> None:
    """libxmlsec signs, in the document; what is read is what it digested, with the namespaces from around it."""
    root = build(SCENE, shape)
    target = assertion(root) if of == "assertion" else root
    target.insert(0, etree.Comment(" of no account "))
    sign_enveloped_alone(target, KEY)
    read = parse(written(root)).root
    signed = verify(assertion(read) if of == "assertion" else read, METADATA)
    assert signed.element.get("ID") == target.get("ID")
    assert set(signed.element.nsmap.items()) >= set(root.nsmap.items())
    assert not list(signed.element.iter(etree.Comment))


@pytest.mark.parametrize("of", ["assertion", "response"])
@pytest.mark.parametrize("where", ["around", "within"])
def test_the_inclusive_form_is_made_of_few_namespaces_alone(of: str, where: str) -> None:
    """A genuine Signature, and around or in what it signed 1,024 namespaces: 80 KB took a worker's thread 46 s."""
    root = build(SCENE)
    sign_enveloped_alone(assertion(root) if of == "assertion" else root, KEY)
    names = b" ".join(b'xmlns:n%d="urn:%d"' % (number, number) for number in range(MOST_IN_SCOPE_INCLUSIVE))
    if where == "around":
        document = written(root).replace(b":Response ", b":Response " + names + b" ", 1)
    else:
        document = written(root).replace(b"</saml2:AttributeValue>", b"<x " + names + b"/></saml2:AttributeValue>", 1)
    read = parse(document).root
    target = assertion(read) if of == "assertion" else read
    assert refused(target) is saml_codes.SIGNATURE_FORM


def test_the_enveloped_transform_alone_signs_what_is_around() -> None:
    root = build(SCENE)
    sign_enveloped_alone(assertion(root), KEY)
    document = written(root).replace(b":Response ", b':Response xmlns:evil="urn:evil" ', 1)
    assert refused(assertion(parse(document).root)) is saml_codes.SIGNATURE


def test_every_key_of_the_metadata_is_tried_and_none_other() -> None:
    element = signed_assertion(key_info=certificate_info(STRANGER))
    assert verify(element, parties.idp(STRANGER, KEY))
    assert verify(element, parties.idp(KEY, STRANGER))
    assert refused(element, parties.idp(STRANGER)) is saml_codes.SIGNATURE
    assert refused(element, parties.idp()) is saml_codes.SIGNATURE_KEY
    assert refused(element, replace(METADATA, signing_keys=(b"no key",))) is saml_codes.SIGNATURE_KEY


def test_a_stranger_s_certificate_in_key_info_proves_nothing() -> None:
    root = build(SCENE)
    sign(assertion(root), STRANGER, key_info=certificate_info(STRANGER))
    assert refused(assertion(parse(written(root)).root)) is saml_codes.SIGNATURE


def test_what_is_not_signed() -> None:
    assert refused(parse(written(build(SCENE))).root) is saml_codes.SIGNATURE_MISSING


@pytest.mark.parametrize(
    "reference", ["", "#", "#_response-1", "_assertion-1", "#_ASSERTION-1", "#xpointer(/)", "file:///x"]
)
def test_the_reference_is_to_the_parent(reference: str) -> None:
    assert refused(signed_assertion(reference=reference)) is saml_codes.SIGNATURE_FORM


def test_a_value_that_was_changed() -> None:
    element = signed_assertion()
    one(element, "a:Subject/a:NameID").text = "admin"
    assert refused(element) is saml_codes.SIGNATURE


@pytest.mark.parametrize("path", ["ds:Signature/ds:SignatureValue", "ds:Signature//ds:DigestValue"])
@pytest.mark.parametrize("value", ["", "AAAA", "é", "=", "A" * 400])
def test_a_signature_that_is_none(path: str, value: str) -> None:
    element = signed_assertion()
    one(element, path).text = value
    assert refused(element) in {saml_codes.SIGNATURE, saml_codes.SIGNATURE_FORM}


def test_even_without_the_table_of_shapes_wrapping_moves_nothing() -> None:
    """The signature of the original, under an evil assertion that took its ID: the digest is of other bytes."""
    element = signed_assertion()
    evil = evil_copy(element)
    evil.set("ID", "_assertion-1")
    signature = copy.deepcopy(one(element, "ds:Signature"))
    evil.insert(1, signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(bare_copy(element))
    assert refused(evil) is saml_codes.SIGNATURE


def test_who_holds_no_key_has_nothing_canonicalised_but_the_signed_info(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    canonical = signature.canonical

    def noted(element: etree._Element, *args: Any, **how: Any) -> bytes:
        seen.append(etree.QName(element).localname)
        return canonical(element, *args, **how)

    monkeypatch.setattr(signature, "canonical", noted)
    element = signed_assertion()
    assert refused(element, parties.idp(STRANGER)) is saml_codes.SIGNATURE
    assert seen == ["SignedInfo"]
    assert verify(element, METADATA)
    assert seen == ["SignedInfo", "SignedInfo", "Assertion"]


def test_the_bytes_that_are_read_have_the_signed_digest_whoever_signed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "is_made_by_one_of", lambda *args: True)
    element = signed_assertion()
    assert verify(element, METADATA)
    one(element, "a:Subject/a:NameID").text = "admin"
    assert refused(element) is saml_codes.SIGNATURE


def test_a_part_is_signed_with_the_whole_and_nothing_else_is() -> None:
    signed = verify(signed_assertion(), METADATA)
    subject = within(signed, one(signed.element, "a:Subject"))
    assert within(subject, one(subject.element, "a:NameID"))
    for stranger in (build(SCENE), signed.element, one(signed.element, "a:Conditions")):
        with pytest.raises(GatewayError) as error:
            within(subject, stranger)
        assert error.value.code is saml_codes.SIGNATURE_MISSING


def test_nobody_else_makes_a_signed_element() -> None:
    with pytest.raises(TypeError):
        SignedElement(build(SCENE), object())


LOGOUT = (
    f'<p:LogoutRequest xmlns:p="{NS["p"]}" xmlns:a="{SAML}" ID="_x" Version="2.0" IssueInstant="2027-01-15T08:00:00Z">'
    "<a:Issuer>i</a:Issuer><a:NameID>n</a:NameID></p:LogoutRequest>"
)


def by_redirect(message: bytes) -> SignedElement:
    url = redirect_url(KEY, SP.logout, "SAMLRequest", message, relay_state=None)
    return redirected(verify_redirect(read_redirect(url.partition("?")[2].encode()), METADATA.signing_keys))


def test_a_message_by_redirect_is_signed_by_its_query() -> None:
    assert by_redirect(LOGOUT.encode()).element.get("ID") == "_x"


def test_a_message_by_redirect_with_another_signature_in_it_is_refused() -> None:
    root = etree.fromstring(LOGOUT)
    sign(root, STRANGER)
    with pytest.raises(GatewayError) as error:
        by_redirect(written(root))
    assert error.value.code is saml_codes.SIGNATURE_FORM


def test_only_logout_comes_by_redirect() -> None:
    with pytest.raises(GatewayError) as error:
        by_redirect(written(build(SCENE)))
    assert error.value.code is saml_codes.SHAPE
