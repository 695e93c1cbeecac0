from collections.abc import Callable, Iterable, Iterator

import pytest
import xmlsec
from hypothesis import given as fuzzed
from hypothesis import strategies as st
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.metadata_document import MetadataPart, given, verified
from gateway.saml.signing import sign_enveloped
from tests.saml.idp import sign_enveloped_alone
from tests.saml.metadata_samples import AD_FS, ENTRA, MD, SHIBBOLETH, entity, group, signed
from tests.saml.parties import pair, spki

DS = "{http://www.w3.org/2000/09/xmldsig#}"
KEYS = (spki(pair("federation")),)


def read(pieces: Iterable[bytes], keys: tuple[bytes, ...] = KEYS) -> list[etree._Element]:
    return [part.root for part in verified(pieces, keys)]


def cut(document: bytes, size: int) -> Iterator[bytes]:
    return (document[start : start + size] for start in range(0, len(document), size))


def refusal(document: bytes | str, keys: tuple[bytes, ...] | None = KEYS) -> Code:
    pieces = [document.encode() if isinstance(document, str) else document]
    with pytest.raises(GatewayError) as refused:
        list(given(pieces) if keys is None else verified(pieces, keys))
    return refused.value.code


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [AD_FS, ENTRA, SHIBBOLETH, group([entity()]), "\ufeff" + AD_FS])
def test_what_providers_export_is_read(document: str) -> None:
    parts = list(given([document.encode()]))
    assert {etree.QName(part.root).namespace for part in parts} == {"urn:oasis:names:tc:SAML:2.0:metadata"}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<",
        "<a/>",
        "<EntityDescriptor/>",
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:1.0:metadata"/>',
        entity() + entity(),
        entity() + "x",
        entity()[:-1],
        entity().encode("utf-16").decode("latin-1"),
        "<!DOCTYPE md:EntityDescriptor>" + entity(),
        '<!DOCTYPE r [<!ENTITY a "b">]>' + entity(),
        entity("&a;"),
        entity(attributes='ID="_twice"'),
        entity("\x00"),
        entity("<b>" * 3000 + "</b>" * 3000),
    ],
)
def test_what_is_no_metadata(document: str) -> None:
    assert refusal(document, None) == saml_codes.METADATA


@pytest.mark.parametrize("size", range(1, 9))
def test_a_document_type_is_found_across_pieces(size: int) -> None:
    """Of every size: where it is found late, the parser has seen it."""
    document = f"<!DOCTYPE md:EntityDescriptor>{entity()}".encode()
    with pytest.raises(GatewayError, match="document type") as refused:
        list(given(cut(document, size)))
    assert refused.value.code == saml_codes.METADATA


def test_metadata_in_another_encoding_are_refused_even_from_the_operator() -> None:
    assert refusal(AD_FS.replace("utf-8", "utf-16").encode("utf-16"), None) == saml_codes.METADATA


def test_a_comment_splits_no_value() -> None:
    """It is no part of what is signed, so whoever passes the document on may add one."""
    document = signed(entity(id="https://idp.example/ab")).replace(b"MII", b"MI<!-- x -->I", 1)
    (root,) = read([document])
    (certificate,) = root.iter(f"{DS}X509Certificate")
    assert (certificate.text or "").startswith("MII")


# --- who signed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [entity(), group([entity()]), SHIBBOLETH])
def test_metadata_under_a_pinned_key(document: str) -> None:
    read([signed(document)])
    read([signed(document)], (spki(pair("next")), *KEYS))
    assert refusal(signed(document), (spki(pair("other")),)) == saml_codes.METADATA_SIGNATURE
    assert refusal(signed(document), (spki(pair(kind="p256")),)) == saml_codes.METADATA_SIGNATURE
    assert refusal(signed(document), ()) == saml_codes.METADATA_SIGNATURE
    assert refusal(document) == saml_codes.METADATA_SIGNATURE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"https://idp.metropole.example/sso/post", b"https://idp.evil.example/sso/post"),
        (b'entityID="', b'entityID="x'),
        (b"</md:EntityDescriptor>", b"<md:ContactPerson contactType='other'/></md:EntityDescriptor>"),
        (b'use="signing"', b""),
        (b'use="signing"', b'use="signing" x="y"'),
        (b"</md:IDPSSODescriptor>", b"<?pi?></md:IDPSSODescriptor>"),
    ],
)
def test_nothing_may_be_changed(before: bytes, after: bytes) -> None:
    document = signed(entity())
    assert before in document
    assert refusal(document.replace(before, after, 1)) == saml_codes.METADATA_SIGNATURE


def test_the_key_that_the_document_names_is_not_looked_at() -> None:
    """K121: signed by a stranger, whose certificate it shows."""
    stranger = sign_enveloped(pair("stranger"), entity().encode(), certificate=True)
    assert refusal(stranger) == saml_codes.METADATA_SIGNATURE


def resigned(change: Callable[[etree._Element], None], document: str = entity()) -> bytes:
    """Signed, the signature changed, and its SignedInfo signed again, so that only the change can be wrong."""
    root = etree.fromstring(signed(document))
    change(root)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair("federation").key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(signature)
    return etree.tostring(root)


def algorithm(name: str, value: str) -> Callable[[etree._Element], None]:
    def change(root: etree._Element) -> None:
        next(root.iter(f"{DS}{name}")).set("Algorithm", value)

    return change


def reference(uri: str) -> Callable[[etree._Element], None]:
    return lambda root: next(root.iter(f"{DS}Reference")).set("URI", uri)


def drop_enveloped(root: etree._Element) -> None:
    (transforms,) = root.iter(f"{DS}Transforms")
    transforms.remove(transforms[0])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (algorithm("SignatureMethod", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), saml_codes.ALGORITHM),
        (algorithm("DigestMethod", "http://www.w3.org/2000/09/xmldsig#sha1"), saml_codes.ALGORITHM),
        (algorithm("CanonicalizationMethod", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), saml_codes.ALGORITHM),
        (drop_enveloped, saml_codes.ALGORITHM),
        (reference(""), saml_codes.SIGNATURE_FORM),
    ],
)
def test_what_a_pinned_key_signed_in_a_way_that_is_not_taken(
    change: Callable[[etree._Element], None], code: Code
) -> None:
    assert refusal(resigned(change)) == code


def test_the_resigner_of_these_tests_is_right_where_nothing_is_changed() -> None:
    read([resigned(lambda root: None)])


def unsigned_change(change: Callable[[etree._Element, etree._Element], None]) -> bytes:
    root = etree.fromstring(signed(group([entity()])))
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    change(root, signature)
    return etree.tostring(root)


def into_a_wrapper(root: etree._Element, signature: etree._Element) -> None:
    """XSW: what was signed goes in an Object of the signature, another root is read."""
    inner = etree.fromstring(etree.tostring(root))
    inner.remove(inner[0])
    etree.SubElement(signature, f"{DS}Object").append(inner)
    root.set("ID", "_evil")


def onto_a_member(root: etree._Element, signature: etree._Element) -> None:
    root[1].insert(0, signature)


def transformed(root: etree._Element, signature: etree._Element) -> None:
    (transforms,) = signature.iter(f"{DS}Transforms")
    xslt = etree.SubElement(transforms, f"{DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")
    etree.SubElement(xslt, "{http://www.w3.org/1999/XSL/Transform}stylesheet")


def referring_elsewhere(root: etree._Element, signature: etree._Element) -> None:
    next(signature.iter(f"{DS}Reference")).set("URI", "#_e")


def twice(root: etree._Element, signature: etree._Element) -> None:
    (info,) = signature.iter(f"{DS}SignedInfo")
    info.append(etree.fromstring(etree.tostring(info[-1])))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (into_a_wrapper, saml_codes.SHAPE),
        (onto_a_member, saml_codes.METADATA_SIGNATURE),
        (transformed, saml_codes.SHAPE),
        (referring_elsewhere, saml_codes.SIGNATURE_FORM),
        (twice, saml_codes.SHAPE),
        (lambda root, signature: root.set("ID", "_other"), saml_codes.SIGNATURE_FORM),
        (lambda root, signature: signature.clear(), saml_codes.SHAPE),
    ],
)
def test_a_signature_that_is_not_over_what_would_be_read(
    change: Callable[[etree._Element, etree._Element], None], code: Code
) -> None:
    assert refusal(unsigned_change(change)) == code


@pytest.mark.parametrize("place", ["Signature", "SignedInfo", "Transforms", "DigestValue", "KeyInfo"])
@pytest.mark.parametrize("first", [True, False])
def test_a_signature_has_no_instruction_in_it(place: str, first: bool) -> None:
    """The fuzzer's: the first child of the Signature was taken for SignedInfo."""
    root = etree.fromstring(sign_enveloped(pair("federation"), entity().encode(), certificate=True))
    element = next(root.iter(f"{DS}{place}"))
    element.insert(0 if first else len(element), etree.ProcessingInstruction("x"))
    assert refusal(etree.tostring(root)) == saml_codes.SIGNATURE_FORM


def test_nobody_else_makes_a_document() -> None:
    with pytest.raises(TypeError):
        MetadataPart(etree.fromstring(entity()), object())


@fuzzed(st.binary(max_size=200), st.integers(0, 3000), st.integers(0, 60))
def test_no_bytes_are_more_than_refused(junk: bytes, at: int, removed: int) -> None:
    document = signed(entity())
    try:
        (root,) = read([document[:at] + junk + document[at + removed :]])
    except GatewayError:
        return
    unchanged = etree.fromstring(document)
    for each in (root, unchanged):
        each.remove(each[0])
    assert etree.tostring(root, method="c14n", exclusive=True) == etree.tostring(
        unchanged, method="c14n", exclusive=True
    )


# --- the enveloped transform alone ------------------------------------------------------------------------------------


def _in_groups() -> str:
    """Members with namespaces of their own, beside groups of the same."""
    own = f'{MD} xmlns:u="urn:u" xmlns="urn:default"'
    members = [entity(id=f"https://idp{n}.example", namespaces=own).replace("_e", f"_{n}") for n in range(5)]
    others = [entity(id=f"https://idp{n}.example").replace("_e", f"_{n}") for n in range(5, 9)]
    return group([*members, group(others, id="_h"), group([group(others[:1], id="_i")], id="_j")])


@pytest.mark.parametrize("document", [SHIBBOLETH, AD_FS.partition("?>")[2].strip(), group([entity()]), _in_groups()])
@pytest.mark.parametrize("piece", [100, 1000, 1 << 18])
def test_the_enveloped_transform_alone(document: str, piece: int) -> None:
    """Core 5.4.4; libxmlsec signs the inclusive form of the whole, and we digest that of the parts."""
    root = etree.fromstring(document)
    sign_enveloped_alone(root, pair("federation"))
    whole = etree.tostring(root)
    assert read(cut(whole, piece))
    for changed in (whole.replace(b"Location", b"Elsewhere"), whole.replace(b" ID=", b' xmlns:evil="urn:evil" ID=', 1)):
        with pytest.raises(GatewayError) as refused:
            read(cut(changed, piece))
        assert refused.value.code == saml_codes.METADATA_SIGNATURE
