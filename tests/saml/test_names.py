from saml2 import (
    BINDING_HTTP_ARTIFACT,
    BINDING_HTTP_POST,
    BINDING_HTTP_REDIRECT,
    BINDING_SOAP,
    md,
    saml,
    samlp,
    xmldsig,
)

from gateway.saml import names


def test_the_names_are_those_of_another_implementation() -> None:
    assert (names.SAML, names.SAMLP, names.MD, names.DS) == (
        saml.NAMESPACE,
        samlp.NAMESPACE,
        md.NAMESPACE,
        xmldsig.NAMESPACE,
    )
    assert (names.BINDING_REDIRECT, names.BINDING_POST) == (BINDING_HTTP_REDIRECT, BINDING_HTTP_POST)
    assert (names.BINDING_ARTIFACT, names.BINDING_SOAP) == (BINDING_HTTP_ARTIFACT, BINDING_SOAP)
    assert names.STATUS_SUCCESS == samlp.STATUS_SUCCESS
    assert names.STATUS_REQUESTER == samlp.STATUS_REQUESTER
    assert names.STATUS_PARTIAL_LOGOUT == samlp.STATUS_PARTIAL_LOGOUT


def test_a_name_is_qualified_as_lxml_writes_it() -> None:
    assert names.saml("Issuer") == "{urn:oasis:names:tc:SAML:2.0:assertion}Issuer"
    assert names.samlp("Status") == "{urn:oasis:names:tc:SAML:2.0:protocol}Status"
    assert names.md("KeyDescriptor") == "{urn:oasis:names:tc:SAML:2.0:metadata}KeyDescriptor"
    assert names.ds("Signature") == "{http://www.w3.org/2000/09/xmldsig#}Signature"
    assert names.soap("Body") == "{http://schemas.xmlsoap.org/soap/envelope/}Body"
