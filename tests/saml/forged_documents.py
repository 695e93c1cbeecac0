"""Documents that two readers could read in two ways, or that cost too much."""

from lxml import etree

from gateway.model.codes import saml_codes
from tests.saml.forging import (
    Change,
    Forgery,
    add,
    after,
    before,
    put,
    replaced,
    saying,
)
from tests.saml.idp import (
    Scene,
    one,
    written,
)


def _prefixed(head: str) -> Change:
    return lambda root, scene: head.encode() + written(root)


def _seven_bits(root: etree._Element, scene: Scene) -> bytes:
    return written(root).replace(b"<", b"+ADw-").replace(b">", b"+AD4-")


def _encoded(encoding: str) -> Change:
    return lambda root, scene: written(root).decode().encode(encoding)


def _commented(path: str, kind: str = "comment") -> Change:
    """A value cut in two by what some readers do not see: adm<!-- -->in."""

    def change(root: etree._Element, scene: Scene) -> None:
        found = one(root, path)
        whole = found.text
        node = etree.Comment("x") if kind == "comment" else etree.ProcessingInstruction("x")
        found.text, node.tail = whole[:3], whole[3:]
        found.append(node)

    return change


def _bomb() -> str:
    levels = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    return f"<!DOCTYPE r [<!ENTITY l0 'ha'>{levels}]>"


# Whoever canonicalises it writes 100 MB.
_AMPLIFIED = f'<v xmlns:long="urn:x:{"x" * 100_000}">{"<long:v/>" * 1000}</v>'
_DECLARED = '<?xml version="1.0" encoding="{}"?>'

DOCUMENTS = (
    Forgery("a DOCTYPE", "XS07", saml_codes.DOCUMENT, after(_prefixed("<!DOCTYPE r>"))),
    Forgery(
        "an external DTD",
        "XS07, K126",
        saml_codes.DOCUMENT,
        after(_prefixed("<!DOCTYPE r SYSTEM 'file:///etc/hostname'>")),
    ),
    Forgery(
        "a parameter entity",
        "XS07",
        saml_codes.DOCUMENT,
        after(_prefixed("<!DOCTYPE r [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/'> %x;]>")),
    ),
    Forgery(
        "a parser differential by DOCTYPE",
        "K126",
        saml_codes.DOCUMENT,
        after(_prefixed("<!DOCTYPE r SYSTEM 'x\"><!--'>")),
    ),
    Forgery("a billion laughs", "XS07", saml_codes.DOCUMENT, after(_prefixed(_bomb()))),
    Forgery("an entity in the name", "XS08", saml_codes.DOCUMENT, after(replaced("AAdzZWNyZXQx", "AAdz&x;"))),
    Forgery(
        "an entity in the ID",
        "K134, XS09",
        saml_codes.DOCUMENT,
        after(
            lambda root, scene: (
                b"<!DOCTYPE r [<!ENTITY i '_assertion-1'>]>" + written(root).replace(b'ID="_assertion-1"', b'ID="&i;"')
            )
        ),
    ),
    Forgery("UTF-16", "XS07, XS11 (17)", saml_codes.DOCUMENT, after(_encoded("utf-16"))),
    Forgery("UTF-16 without a mark", "XS07", saml_codes.DOCUMENT, after(_encoded("utf-16-be"))),
    Forgery("UTF-7", "XS07", saml_codes.DOCUMENT, after(_seven_bits)),
    Forgery("EBCDIC", "XS07", saml_codes.DOCUMENT, after(_encoded("cp500"))),
    Forgery("UTF-16 declared over UTF-8", "XS07", saml_codes.DOCUMENT, after(_prefixed(_DECLARED.format("UTF-16")))),
    Forgery("ISO 8859-1 declared", "XS07", saml_codes.DOCUMENT, after(_prefixed(_DECLARED.format("ISO-8859-1")))),
    Forgery("XML 1.1", "XS07", saml_codes.DOCUMENT, after(_prefixed('<?xml version="1.1"?>'))),
    Forgery("two roots", "XS07", saml_codes.DOCUMENT, after(lambda root, scene: written(root) * 2)),
    Forgery("bytes after the end", "XS07", saml_codes.DOCUMENT, after(lambda root, scene: written(root) + b"<x")),
    Forgery("cut short", "XS07", saml_codes.DOCUMENT, after(lambda root, scene: written(root)[:-5])),
    Forgery("nothing", "XS07", saml_codes.DOCUMENT, lambda scene: b""),
    Forgery("a processing instruction", "XS07", saml_codes.DOCUMENT, after(_prefixed("<?x?>"))),
    Forgery(
        "XInclude",
        "XS07",
        saml_codes.SHAPE,
        after(add("/p:Response", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>')),
    ),
    Forgery(
        "xml:base",
        "XS07",
        saml_codes.SHAPE,
        before(put("//a:Assertion", "{http://www.w3.org/XML/1998/namespace}base", "https://x.example/")),
    ),
    Forgery(
        "a namespace that is no URI",
        "K127",
        saml_codes.DOCUMENT,
        after(replaced("<saml2:Issuer", '<saml2:Issuer xmlns:e="http://example.com\u0080"')),
    ),
    Forgery(
        "a relative namespace, which canonicalises to nothing",
        "K127",
        saml_codes.DOCUMENT,
        after(replaced("<saml2:Issuer", '<saml2:Issuer xmlns:e="relative"')),
    ),
    Forgery("a name of two colons", "K137", saml_codes.DOCUMENT, after(replaced("<saml2:Issuer", "<saml2::Issuer"))),
    Forgery("a name that is a colon", "K137", saml_codes.DOCUMENT, after(replaced("<saml2:Issuer", "<:Issuer"))),
    Forgery(
        "an empty prefix", "K137", saml_codes.DOCUMENT, after(replaced("<saml2:Issuer", '<saml2:Issuer xmlns:="u:x"'))
    ),
    Forgery(
        "20,000 namespaces",
        "XS11 (17), XS22",
        saml_codes.DOCUMENT,
        after(replaced("<saml2:Issuer", "<saml2:Issuer " + " ".join(f'xmlns:n{n}="u:x"' for n in range(9000)))),
    ),
    Forgery(
        "a long namespace, written again for each element that uses it",
        "XS22",
        saml_codes.DOCUMENT,
        after(replaced("</saml2:AttributeValue>", _AMPLIFIED + "</saml2:AttributeValue>")),
    ),
    Forgery(
        "100,000 attributes",
        "XS22",
        saml_codes.DOCUMENT,
        after(replaced("<saml2:Issuer", "<saml2:Issuer " + " ".join(f'a{n}=""' for n in range(20000)))),
    ),
    Forgery("256 KB and more", "XS11 (17), XS22", saml_codes.DOCUMENT, saying(mail="x" * 300_000)),
    Forgery(
        "300 levels",
        "XS22",
        saml_codes.DOCUMENT,
        after(
            replaced(
                "</saml2p:Status>",
                "<saml2p:StatusDetail>" + "<b>" * 300 + "</b>" * 300 + "</saml2p:StatusDetail></saml2p:Status>",
            )
        ),
    ),
    Forgery(
        "40 levels",
        "XS22",
        saml_codes.DOCUMENT,
        after(
            replaced(
                "</saml2p:Status>",
                "<saml2p:StatusDetail>" + "<b>" * 40 + "</b>" * 40 + "</saml2p:StatusDetail></saml2p:Status>",
            )
        ),
    ),
    Forgery(
        "30,000 elements",
        "XS22",
        saml_codes.DOCUMENT,
        after(
            replaced(
                "</saml2p:Status>", "<saml2p:StatusDetail>" + "<b/>" * 30_000 + "</saml2p:StatusDetail></saml2p:Status>"
            )
        ),
    ),
    *(
        Forgery(f"a comment in {name}", "XS08", saml_codes.DOCUMENT, before(_commented(path)))
        for name, path in (
            ("NameID", "//a:Subject/a:NameID"),
            ("an attribute", "(//a:AttributeValue)[1]"),
            ("Audience", "//a:Audience"),
            ("Issuer", "//a:Assertion/a:Issuer"),
            ("AuthnContextClassRef", "//a:AuthnContextClassRef"),
        )
    ),
    *(
        Forgery(f"a comment put in {name} afterwards", "XS08", saml_codes.DOCUMENT, after(_commented(path)))
        for name, path in (("NameID", "//a:Subject/a:NameID"), ("an attribute", "(//a:AttributeValue)[1]"))
    ),
    Forgery(
        "a processing instruction in NameID",
        "XS08",
        saml_codes.DOCUMENT,
        before(_commented("//a:Subject/a:NameID", "pi")),
    ),
    Forgery("an element in NameID", "XS08", saml_codes.SHAPE, before(add("//a:Subject/a:NameID", '<b xmlns="u:b"/>'))),
    Forgery("an element in Audience", "XS08", saml_codes.SHAPE, before(add("//a:Audience", '<b xmlns="u:b"/>'))),
    Forgery(
        "an element in Issuer", "XS08", saml_codes.SHAPE, before(add("//a:Assertion/a:Issuer", '<b xmlns="u:b"/>'))
    ),
    Forgery(
        "CDATA around half of the name, afterwards",
        "XS08",
        saml_codes.SIGNATURE,
        after(replaced("AAdzZWNyZXQx", "<![CDATA[admin]]>")),
    ),
    Forgery("one ID twice", "XS09", saml_codes.ID, saying(response_id="_assertion-1")),
    Forgery("one ID twice, as Id", "XS09", saml_codes.ID, after(put("//ds:Signature", "Id", "_assertion-1"))),
    Forgery(
        "one ID twice, as id",
        "XS09",
        saml_codes.ID,
        before(add("//p:Status", '<p:StatusDetail><b xmlns="u:b" id="_assertion-1"/></p:StatusDetail>')),
    ),
    Forgery(
        "one ID twice, as xml:id",
        "XS09",
        saml_codes.ID,
        before(add("//p:Status", '<p:StatusDetail><b xmlns="u:b" xml:id="_assertion-1"/></p:StatusDetail>')),
    ),
    Forgery(
        "one ID twice, in a namespace",
        "XS09",
        saml_codes.ID,
        before(put("(//a:Attribute)[1]", "{u:n}ID", "_assertion-1")),
    ),
    Forgery(
        "an xml:id on the assertion",
        "XS09",
        saml_codes.SHAPE,
        before(put("//a:Assertion", "{http://www.w3.org/XML/1998/namespace}id", "_other")),
    ),
    Forgery("an ID of two words", "XS09", saml_codes.ID, saying(assertion_id="_a b")),
    Forgery("an ID with a colon", "XS09", saml_codes.ID, saying(assertion_id="a:b")),
    Forgery("an ID that is an XPath", "K132", saml_codes.ID, saying(assertion_id="x'] | //*['")),
    Forgery("an empty ID", "XS09", saml_codes.ID, saying(assertion_id="")),
    Forgery("no ID", "XS09", saml_codes.SHAPE, saying(assertion_id=None)),
    Forgery("SAML 1.1", "K120", saml_codes.VERSION, before(put("/p:Response", "Version", "1.1"))),
    Forgery("an assertion of SAML 1.1", "K120", saml_codes.VERSION, before(put("//a:Assertion", "Version", "1.1"))),
    Forgery(
        "a LogoutResponse",
        "XS02",
        saml_codes.SHAPE,
        after(lambda root, scene: written(root).replace(b"saml2p:Response", b"saml2p:LogoutResponse")),
    ),
)
