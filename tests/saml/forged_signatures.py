"""Signatures by another key, algorithm, transform or reference than may be."""

import base64
from collections.abc import Callable
from typing import Any

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.saml.parties import KeyPair
from tests.saml.forging import (
    Change,
    Forgery,
    add,
    after,
    before,
    put,
    remove,
    signing,
    text,
    twice,
)
from tests.saml.idp import (
    C14N,
    DS,
    ENVELOPED,
    EXC_C14N,
    MORE,
    MORE07,
    SHA256,
    Scene,
    assertion,
    build,
    certificate_info,
    fill_in,
    one,
    private_key,
    sign,
    written,
)

_PREFIXES = " ".join(f"p{number}" for number in range(33))


def _by(which: str, **how: Any) -> Any:
    """Signed by the key of the scene that is called so."""

    def make(scene: Scene) -> bytes:
        root = build(scene)
        key = getattr(scene, which)
        info = how.get("key_info")
        sign(assertion(root), key, **{**how, **({"key_info": info(key)} if callable(info) else {})})
        return written(root)

    return make


def _moved(to: str) -> Change:
    def change(root: etree._Element, scene: Scene) -> None:
        signature = one(root, "//ds:Signature")
        target = one(root, to)
        signature.getparent().remove(signature)
        target.append(signature)

    return change


def _key_value(key: KeyPair) -> str:
    numbers = private_key(key).public_key().public_numbers()
    modulus, exponent = (
        base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
        for number in (numbers.n, numbers.e)
    )
    return (
        f"<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus>"
        f"<ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>"
    )


def _info(inside: str) -> Callable[[KeyPair], str]:
    return lambda key: f"<ds:KeyInfo>{inside}</ds:KeyInfo>"


def _in_signature(path: str, xml: str, at: int | None = None) -> Any:
    return after(add(f"//ds:Signature{path}", xml, at))


def _resigned(change: Change) -> Any:
    """SignedInfo is changed and its value made anew by the provider's key."""

    def make(scene: Scene) -> bytes:
        root = build(scene)
        signature = sign(assertion(root), scene.key)
        change(root, scene)
        fill_in(signature, scene.key)
        return written(root)

    return make


def _unsigned(scene: Scene) -> bytes:
    return written(build(scene))


def _xslt(depth: int) -> str:
    loop = "<xsl:for-each select='(//*)[1] | (//*)[2]'>" * depth + "x" + "</xsl:for-each>" * depth
    return (
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet version="1.0" '
        f'xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">{loop}</xsl:template>'
        "</xsl:stylesheet></ds:Transform>"
    )


def _reading(function: str) -> str:
    return _xslt(0).replace(">x<", f"><xsl:copy-of select=\"{function}('/etc/passwd')\"/><", 1)


_ENV = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
_EXC = f'<ds:Transform Algorithm="{EXC_C14N}"/>'
_XPATH = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>count(//. | //@*)</ds:XPath>'
    "</ds:Transform>"
)
_FILTER = '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>'
_SECOND = (
    f'<ds:Reference URI="#_response-1"><ds:Transforms>{_ENV}{_EXC}</ds:Transforms>'
    f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>'
)
_INFO = "<ds:SignedInfo/>"

SIGNATURES = (
    Forgery("nothing is signed", "XS11", saml_codes.SIGNATURE_MISSING, _unsigned),
    Forgery(
        "the Response alone, where the assertion is asked for",
        "XS11 (14)",
        saml_codes.SIGNATURE_MISSING,
        before(lambda root, scene: None, signed="response"),
    ),
    Forgery(
        "the assertion alone, where the Response is asked for",
        "XS11 (14)",
        saml_codes.SIGNATURE_MISSING,
        before(lambda root, scene: None),
        {"signed": "response"},
    ),
    Forgery(
        "the assertion alone, where both are asked for",
        "XS11 (14)",
        saml_codes.SIGNATURE_MISSING,
        before(lambda root, scene: None),
        {"signed": "both"},
    ),
    Forgery(
        "the Response alone, where both are asked for",
        "XS11 (14)",
        saml_codes.SIGNATURE_MISSING,
        before(lambda root, scene: None, signed="response"),
        {"signed": "both"},
    ),
    Forgery("signed by nobody that we know", "K150", saml_codes.SIGNATURE, _by("stranger")),
    Forgery(
        "the Response of a stranger around a good assertion",
        "K147",
        saml_codes.SIGNATURE,
        after(lambda root, scene: sign(root, scene.stranger)),
    ),
    Forgery(
        "a good Response around a stranger's assertion",
        "K147",
        saml_codes.SIGNATURE,
        before(lambda root, scene: sign(assertion(root), scene.stranger), signed="response"),
        {"signed": "response"},
    ),
    Forgery("the name was changed", "XS01", saml_codes.SIGNATURE, after(text("//a:Subject/a:NameID", "admin"))),
    Forgery("an attribute was changed", "XS01", saml_codes.SIGNATURE, after(text("(//a:AttributeValue)[1]", "admin"))),
    Forgery(
        "an attribute was added",
        "XS01",
        saml_codes.SIGNATURE,
        after(add("//a:AttributeStatement", '<a:Attribute Name="role"/>')),
    ),
    Forgery(
        "the audience was changed in a signed Response",
        "XS01",
        saml_codes.SIGNATURE,
        after(text("//a:Audience", "x"), signed="response"),
        {"signed": "response"},
    ),
    Forgery(
        "the Destination was changed in a signed Response",
        "XS01",
        saml_codes.SIGNATURE,
        after(put("/p:Response", "Destination", "https://x.example"), signed="both"),
        {"signed": "both"},
    ),
    Forgery("a blank was added to what is signed", "XS01", saml_codes.SIGNATURE, after(text("//a:Conditions", " "))),
    Forgery("the signature in the Subject", "K119", saml_codes.SHAPE, after(_moved("//a:Subject"))),
    Forgery("the assertion's signature in the Response", "K119", saml_codes.SHAPE, after(_moved("/p:Response"))),
    Forgery("the assertion's signature last", "K119", saml_codes.SHAPE, after(_moved("//a:Assertion"))),
    Forgery("two signatures", "K119", saml_codes.SHAPE, after(twice("//ds:Signature"))),
    Forgery("the reference is to the Response", "K119", saml_codes.SIGNATURE_FORM, signing(reference="#_response-1")),
    Forgery("the reference is empty", "K119", saml_codes.SIGNATURE_FORM, signing(reference="")),
    Forgery(
        "the reference is an XPointer",
        "XS02",
        saml_codes.SIGNATURE_FORM,
        signing(reference="#xpointer(id('_assertion-1'))"),
    ),
    Forgery("the reference is an XPath", "K132", saml_codes.SIGNATURE_FORM, signing(reference="#x'] | //*['")),
    Forgery("the reference is a file", "K132", saml_codes.SIGNATURE_FORM, signing(reference="file:///etc/hostname")),
    Forgery(
        "the reference is on the network", "K132", saml_codes.SIGNATURE_FORM, signing(reference="http://127.0.0.1:9/")
    ),
    Forgery("two references", "K131", saml_codes.SHAPE, _resigned(add("//ds:SignedInfo", _SECOND))),
    Forgery("two SignedInfo", "K144, K150", saml_codes.SHAPE, _in_signature("", _INFO, 0)),
    Forgery(
        "a DigestValue elsewhere",
        "K125",
        saml_codes.SHAPE,
        after(add("//p:Status", "<p:StatusDetail><ds:DigestValue>AAAA</ds:DigestValue></p:StatusDetail>")),
    ),
    Forgery(
        "two DigestValues",
        "K125",
        saml_codes.SHAPE,
        _resigned(add("//ds:Reference", "<ds:DigestValue>AAAA</ds:DigestValue>")),
    ),
    Forgery(
        "a comment in the DigestValue",
        "XS08",
        saml_codes.DOCUMENT,
        _resigned(lambda root, scene: one(root, "//ds:DigestValue").append(etree.Comment("x"))),
    ),
    Forgery("an Object", "K134", saml_codes.SHAPE, _in_signature("", "<ds:Object/>")),
    Forgery("a Manifest", "XS02", saml_codes.SHAPE, _in_signature("", "<ds:Manifest/>")),
    Forgery("an empty SignatureValue", "XS04", saml_codes.SIGNATURE, after(text("//ds:SignatureValue", ""))),
    Forgery("an empty DigestValue", "XS04", saml_codes.SIGNATURE, _resigned(text("//ds:DigestValue", ""))),
    Forgery("another's digest", "XS04", saml_codes.SIGNATURE, _resigned(text("//ds:DigestValue", "A" * 43 + "="))),
    Forgery("no Transforms", "XS05", saml_codes.SHAPE, _resigned(remove("//ds:Transforms"))),
    Forgery("without enveloped-signature", "XS05", saml_codes.ALGORITHM, signing(transforms=(EXC_C14N,))),
    Forgery("enveloped-signature twice", "XS05", saml_codes.ALGORITHM, signing(transform_xml=_ENV + _ENV)),
    # Core 5.4.4 permits it; what is digested then is the inclusive form (XML Signature 4.4.3.2), and not this one
    Forgery("without canonicalisation", "XS05", saml_codes.SIGNATURE, signing(transforms=(ENVELOPED,))),
    Forgery("a third transform", "XS05", saml_codes.SHAPE, signing(transform_xml=_ENV + _EXC + _EXC)),
    Forgery("a PrefixList of 33", "XS05, XS22", saml_codes.SIGNATURE_FORM, signing(prefixes=_PREFIXES)),
    Forgery(
        "a PrefixList of 33 in SignedInfo",
        "XS05, XS22",
        saml_codes.SIGNATURE_FORM,
        _resigned(
            lambda root, scene: etree.SubElement(
                one(root, "//ds:CanonicalizationMethod"),
                f"{{{EXC_C14N}}}InclusiveNamespaces",
                PrefixList=_PREFIXES,
            )
        ),
    ),
    Forgery("XSLT of depth 4", "XS05, K124", saml_codes.SHAPE, signing(transform_xml=_ENV + _xslt(4))),
    Forgery("XSLT of depth 20", "XS05, K124", saml_codes.SHAPE, signing(transform_xml=_ENV + _xslt(15))),
    Forgery("XSLT that reads a document", "XS05", saml_codes.SHAPE, signing(transform_xml=_ENV + _reading("document"))),
    Forgery("XSLT that reads text", "XS05", saml_codes.SHAPE, signing(transform_xml=_ENV + _reading("unparsed-text"))),
    Forgery("XPath", "XS05", saml_codes.SHAPE, signing(transform_xml=_ENV + _XPATH)),
    Forgery("XPath filter 2", "XS05", saml_codes.ALGORITHM, signing(transform_xml=_ENV + _FILTER)),
    Forgery("base64 transform", "XS05", saml_codes.ALGORITHM, signing(transforms=(ENVELOPED, f"{DS}base64"))),
    Forgery(
        "decryption transform",
        "XS05",
        saml_codes.ALGORITHM,
        signing(transforms=(ENVELOPED, "http://www.w3.org/2002/07/decrypt#XML")),
    ),
    Forgery(
        "inclusive canonicalisation of what is signed",
        "XS04",
        saml_codes.ALGORITHM,
        signing(transforms=(ENVELOPED, C14N)),
    ),
    Forgery(
        "canonicalisation with comments",
        "XS04",
        saml_codes.ALGORITHM,
        signing(transforms=(ENVELOPED, f"{EXC_C14N}WithComments")),
    ),
    Forgery("inclusive canonicalisation of SignedInfo", "XS04", saml_codes.ALGORITHM, signing(c14n=C14N)),
    Forgery(
        "SignedInfo canonicalised with comments", "XS04", saml_codes.ALGORITHM, signing(c14n=f"{EXC_C14N}WithComments")
    ),
    Forgery("RSA with SHA-1", "XS04, XS11 (13)", saml_codes.ALGORITHM, signing(algorithm=f"{DS}rsa-sha1")),
    Forgery("RSA with MD5", "XS04", saml_codes.ALGORITHM, signing(algorithm=f"{MORE}rsa-md5")),
    Forgery("RSA with SHA-224", "XS04", saml_codes.ALGORITHM, signing(algorithm=f"{MORE}rsa-sha224")),
    Forgery("DSA", "XS04", saml_codes.ALGORITHM, signing(algorithm=f"{DS}dsa-sha1")),
    Forgery("HMAC-SHA1 with the public key", "XS04, K145", saml_codes.ALGORITHM, signing(algorithm=f"{DS}hmac-sha1")),
    Forgery(
        "HMAC-SHA256 with the public key", "XS04, K145", saml_codes.ALGORITHM, signing(algorithm=f"{MORE}hmac-sha256")
    ),
    Forgery(
        "HMACOutputLength",
        "K145",
        saml_codes.SHAPE,
        _in_signature("//ds:SignatureMethod", "<ds:HMACOutputLength>0</ds:HMACOutputLength>"),
    ),
    Forgery("an unknown algorithm", "XS04", saml_codes.ALGORITHM, signing(algorithm="urn:none")),
    Forgery(
        "no algorithm",
        "XS04",
        saml_codes.SHAPE,
        after(lambda root, scene: one(root, "//ds:SignatureMethod").attrib.clear()),
    ),
    Forgery("digest SHA-1", "XS04, XS11 (13)", saml_codes.ALGORITHM, signing(digest=f"{DS}sha1")),
    Forgery("digest MD5", "XS04", saml_codes.ALGORITHM, signing(digest=f"{MORE}md5")),
    Forgery("digest SHA-224", "XS04", saml_codes.ALGORITHM, signing(digest=f"{MORE}sha224")),
    Forgery(
        "ECDSA named over an RSA signature", "XS04", saml_codes.SIGNATURE_KEY, signing(algorithm=f"{MORE}ecdsa-sha256")
    ),
    Forgery(
        "RSA-PSS named over an older one",
        "XS04",
        saml_codes.SIGNATURE,
        after(put("//ds:SignatureMethod", "Algorithm", f"{MORE07}sha256-rsa-MGF1")),
    ),
    Forgery(
        "a stranger's certificate in KeyInfo",
        "K121, K146, XS06",
        saml_codes.SIGNATURE,
        _by("stranger", key_info=certificate_info),
    ),
    Forgery("a stranger's key in KeyInfo", "K121, XS06", saml_codes.SIGNATURE, _by("stranger", key_info=_key_value)),
    Forgery(
        "a key to be had elsewhere",
        "XS06",
        saml_codes.SIGNATURE,
        _by("stranger", key_info=_info('<ds:RetrievalMethod URI="http://127.0.0.1:9/"/>')),
    ),
    Forgery(
        "a key by a name that climbs",
        "XS06",
        saml_codes.SIGNATURE,
        _by("stranger", key_info=_info("<ds:KeyName>../../etc/keys</ds:KeyName>")),
    ),
    Forgery(
        "a huge KeyInfo",
        "XS06",
        saml_codes.SHAPE,
        signing(key_info=f"<ds:KeyInfo>{'<ds:KeyName>x</ds:KeyName>' * 100}</ds:KeyInfo>"),
    ),
    Forgery(
        "a token reference in KeyInfo",
        "XS06",
        saml_codes.SHAPE,
        signing(key_info='<ds:KeyInfo><o:x xmlns:o="u:o"/></ds:KeyInfo>'),
    ),
    *(
        Forgery(f"a signature without {name}", "K115", saml_codes.SHAPE, after(remove(f"//ds:{name}")))
        for name in (
            "SignedInfo",
            "SignatureValue",
            "CanonicalizationMethod",
            "SignatureMethod",
            "Reference",
            "DigestMethod",
            "DigestValue",
        )
    ),
    Forgery(
        "an empty signature", "K115", saml_codes.SHAPE, after(lambda root, scene: one(root, "//ds:Signature").clear())
    ),
    Forgery("an empty KeyInfo child", "K115", saml_codes.SIGNATURE, _by("stranger", key_info=_info("<ds:X509Data/>"))),
)
