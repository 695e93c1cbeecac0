"""A provider's own document, before anybody has named a key for it."""

import base64

import pytest

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml.metadata_offer import MetadataOffer, read_offer
from tests.saml.metadata_samples import AD_FS, SHIBBOLETH, entity, group, role, signed, signed_with_its_key
from tests.saml.parties import IDP, certificate_text, pair, spki

OTHER = "https://idp.other.example"
NOBODY = entity("<md:AuthnAuthorityDescriptor/>", id="https://nobody.example")


def refusal(document: bytes | str, entity_id: str = "") -> tuple[Code, str]:
    with pytest.raises(GatewayError) as refused:
        read_offer(document.encode() if isinstance(document, str) else document, entity_id)
    return refused.value.code, refused.value.detail


def test_a_signed_document_names_its_signer() -> None:
    offer = read_offer(signed_with_its_key(entity()))
    assert offer.signer is not None
    assert offer.signer.spki == spki(pair("federation"))
    assert offer.signer.certificate == base64.b64decode(certificate_text(pair("federation")))
    assert [key.spki for key in offer.keys] == [spki(pair("idp"))]
    assert offer.metadata.entity_id == IDP


@pytest.mark.parametrize(
    "change",
    [
        (b"idp.metropole.example/sso", b"idp.evil.example/sso"),
        (b"entityID=", b'validUntil="2030-01-01T00:00:00Z" entityID='),
    ],
)
def test_a_document_changed_after_it_was_signed_is_refused(change: tuple[bytes, bytes]) -> None:
    document = signed_with_its_key(entity())
    assert refusal(document.replace(*change))[0] is saml_codes.METADATA_SIGNATURE


def test_a_signature_of_another_key_than_it_names_is_refused() -> None:
    assert refusal(signed_with_its_key(entity(), named="stranger"))[0] is saml_codes.METADATA_SIGNATURE


def test_a_signature_without_its_key_is_of_the_provider_or_refused() -> None:
    signer = read_offer(signed(entity(), "idp")).signer
    assert signer is not None
    assert signer.spki == spki(pair("idp"))
    assert refusal(signed(entity())) == (
        saml_codes.METADATA_SIGNATURE,
        "the signature does not hold a key that is accepted, and none of the provider's own keys made it",
    )


def test_what_providers_export() -> None:
    ad_fs, shibboleth = read_offer(AD_FS.encode()), read_offer(SHIBBOLETH.encode())
    assert (ad_fs.signer, shibboleth.signer) == (None, None)
    assert [key.spki for key in ad_fs.keys] == [spki(pair("idp")), spki(pair("idp-next"))]
    assert ad_fs.attributes == ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",)
    assert shibboleth.attributes == ()


def test_the_one_provider_among_other_entities_is_found() -> None:
    assert offered(group([NOBODY, entity()])).metadata.entity_id == IDP
    both = group([entity(), entity(id=OTHER).replace("_e", "_f")])
    assert offered(both, OTHER).metadata.entity_id == OTHER


def offered(document: str, entity_id: str = "") -> MetadataOffer:
    return read_offer(document.encode(), entity_id)


def test_none_and_several_are_told() -> None:
    assert refusal(NOBODY) == (saml_codes.METADATA_ENTITY, "no SAML 2.0 identity provider")
    many = group([entity(id=f"https://idp{number}.example").replace("_e", f"_{number}") for number in range(7)])
    code, detail = refusal(many)
    assert code is saml_codes.METADATA_ENTITY
    assert detail.startswith('several identity providers: "https://idp0.example", "https://idp1.example"')
    assert detail.endswith('"https://idp4.example" and 2 more')
    assert refusal(entity(), OTHER)[1] == f'"{OTHER}" is not one of its identity providers: "{IDP}"'


def test_names_of_attributes_that_nobody_could_write_are_left_out() -> None:
    named = '<a:Attribute xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" Name="{}"/>'
    content = "".join(map(named.format, ("mail", "", "x" * 501, "two&#10;lines", "mail")))
    assert offered(
        entity(role(sso="").replace("</md:IDPSSODescriptor>", _SSO + content + "</md:IDPSSODescriptor>"))
    ).attributes == ("mail",)


_SSO = (
    '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
    'Location="https://idp.metropole.example/sso"/>'
)
