import gzip
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml import document
from gateway.saml.document import (
    DEEPEST,
    LONGEST_NAMESPACE,
    MOST_ATTRIBUTES,
    MOST_BYTES,
    MOST_NODES,
    UnverifiedMessage,
    check_ids,
    is_ncname,
    parse,
    read_unverified,
)

MARKUP = st.sampled_from(
    ["<a>", "</a>", "<a ", ">", "/>", "<", "&amp;", "&x;", "&#10;", "<!--", "-->", "<![CDATA[", "]]>", "<?pi ", "?>",
     "<!DOCTYPE a>", ' xmlns="u:v"', ' xmlns:b="u:w"', ' ID="i"', "<b:c>", "</b:c>", "\x00", "é",
     '<?xml version="1.0"?>', "<!DOCTYPE", "<!ENTITY x 'y'>", "xml:id='i'", "]>"]
)  # fmt: skip


def outcome(step: Callable[..., object], *arguments: object) -> Code | None:
    """The code of our own error; None where there is none. Any other exception goes on."""
    try:
        step(*arguments)
    except GatewayError as error:
        return error.code
    return None


def refused(document: bytes, **limits: int) -> str:
    with pytest.raises(GatewayError) as error:
        parse(document, **limits)
    assert error.value.code is saml_codes.DOCUMENT
    return error.value.detail


def _stairs(steps: int, each: int) -> bytes:
    """`each` namespaces on each of `steps` elements, one in the other."""
    declared = (b" ".join(b"xmlns:a%d_%d='u:x'" % (step, n) for n in range(each)) for step in range(steps))
    return b"".join(b"<a " + names + b">" for names in declared) + b"</a>" * steps


@pytest.mark.parametrize(
    "document",
    [
        b"<a/>",
        b"\xef\xbb\xbf<a/>",
        b'<?xml version="1.0"?><a/>',
        b"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n<a/>\n",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?><a/>',
        b'<?xml version="1.0" encoding="us-ascii"?><a/>',
        b"<!-- before --><a><!-- between --> <b>x</b> </a><!-- after -->",
        b"<a xmlns='urn:x' xmlns:b='http://b.example/'><b:c xmlns=''/></a>",
    ],
)
def test_an_ordinary_document_is_read(document: bytes) -> None:
    assert parse(document).root.tag in {"a", "{urn:x}a"}


def test_text_is_whole_whatever_it_is_spelt_with() -> None:
    assert parse("<a>un <![CDATA[<deux>]]> &lt;trois&#62; é</a>".encode()).root.text == "un <deux> <trois> é"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"<a/><a/>", "not well-formed"),
        (b"<a/>x", "not well-formed"),
        (b"x<a/>", "not well-formed"),
        (b"<a b='1' b='2'/>", "not well-formed"),
        (b"<a>\x01</a>", "not well-formed"),
        (b"<a>&#1;</a>", "not well-formed"),
        (b"<a>\x00</a>", "not well-formed"),
        (b"<a>&eacute;</a>", "not well-formed"),
        (b"<x:a/>", "not well-formed"),
        (b"<:a/>", "not well-formed"),
        (b"<a:b:c xmlns:a='u:a'/>", "not well-formed"),
        (b"<x::Root xmlns:x='u:a'/>", "not well-formed"),
        (b"<a xmlns:='u:a'/>", "not well-formed"),
        ('<a xmlns:e="http://example.com\x80"/>'.encode(), "not well-formed"),
        (gzip.compress(b"<a/>", mtime=0), "not UTF-8"),
        (b"<a>\xe9</a>", "not UTF-8"),
        (b"<a>\xc0\xaf</a>", "not UTF-8"),
        (b"<a>\xed\xa0\x80</a>", "not UTF-8"),
        ("<a/>".encode("utf-16"), "not UTF-8"),
        ("<a/>".encode("utf-16-le"), "not well-formed"),
        (b"+ADw-a/+AD4-", "not well-formed"),
        ("<a/>".encode("cp500"), "not UTF-8"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><a/>', "encoding"),
        (b'<?xml version="1.1"?><a/>', "not 1.0"),
        (b"<?xml encoding='utf-8'?><a/>", "not 1.0"),
        (b"<?xml?><a/>", "XML declaration"),
        (b"<?xml version='1.0'?><?xml version='1.0'?><a/>", "XML declaration"),
        (b'\xef\xbb\xbf\xef\xbb\xbf<?xml version="1.1" encoding="UTF-16"?><a/>', "XML declaration"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b"<!DOCTYPE a SYSTEM 'file:///etc/hostname'><a/>", "document type"),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "document type"),
        (b"<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]><a/>", "document type"),
        (b"<!DOCTYPE r SYSTEM 'x\"><!--'><a/><!--'><a/><![CDATA[-->]]>", "document type"),
        (b"<a><![CDATA[<!DOCTYPE a>]]></a>", "document type"),
        (b"<?pi?><a/>", "processing instruction"),
        (b"<?xml-stylesheet href='x'?><a/>", "XML declaration"),
        (b"<a><?pi?></a>", "processing instruction"),
        (b"<a>us<?pi?>er</a>", "processing instruction"),
        (b"<a/><?pi?>", "processing instruction"),
        (b"<a>admin<!-- -->.example</a>", "comment inside a value"),
        (b"<a><!-- -->admin</a>", "comment inside a value"),
        (b"<a>admin<!-- --></a>", "comment inside a value"),
        (b"<a><!-- --></a>", "comment inside a value"),
        (b"<a><b/>x<!-- --></a>", "comment inside a value"),
        (b"<a><!-- --><b/>x</a>", "comment inside a value"),
        (b"<a xmlns:b='relative'/>", "absolute URI"),
        (b"<a xmlns='//host/x'/>", "absolute URI"),
        (b"<a><b xmlns:c='../x'/></a>", "absolute URI"),
        (b"<a xmlns:b='u:%s'/>" % (b"x" * LONGEST_NAMESPACE), "namespace of 258"),
        (b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1), "deeper"),
        (b"<a>" * 300 + b"</a>" * 300, "not well-formed"),
        (b"<a>" + b"<b/>" * MOST_NODES + b"</a>", "nodes"),
        (b"<a><b/>" + b"<!---->" * MOST_NODES + b"</a>", "nodes"),
        (b"<a " + b" ".join(b"a%d='x'" % n for n in range(MOST_ATTRIBUTES + 1)) + b"/>", "attributes"),
        (b"<a " + b" ".join(b"xmlns:a%d='u:%d'" % (n, n) for n in range(MOST_NODES)) + b"/>", "bytes"),
        (b"<a " + b" ".join(b"xmlns:a%d='u:x'" % n for n in range(12_000)) + b"/>", "namespaces"),
        (_stairs(3, 43), "in scope"),
        (b"<a>" + b" " * MOST_BYTES + b"</a>", "bytes"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_or_costs_too_much_is_refused(document: bytes, why: str) -> None:
    assert why in refused(document)


def test_limits_are_of_the_caller() -> None:
    large = b"<a>" + b"<b/>" * 30_000 + b"</a>"
    assert len(parse(large, max_nodes=30_001).root) == 30_000
    assert "30000 nodes" in refused(large, max_nodes=30_000)
    assert "at most 9 are read" in refused(b"<a></a>   ", max_bytes=9)
    assert "deeper than 1 " in refused(b"<a><b/></a>", max_depth=1)


def test_entities_of_a_bomb_are_never_expanded() -> None:
    levels = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    assert "document type" in refused(f"<!DOCTYPE a [<!ENTITY l0 'ha'>{levels}]><a>&l9;</a>".encode())


@pytest.mark.parametrize(
    "document",
    [
        "<a ID='x'><b ID='x'/></a>",
        "<a ID='x'><b Id='x'/></a>",
        "<a ID='x'><b id='x'/></a>",
        "<a ID='x'><b xml:id='x'/></a>",
        "<a ID='x'><b xmlns:n='u:n' n:ID='x'/></a>",
        "<a ID='x' Id='x'/>",
        "<a ID=''/>",
        "<a ID='1x'/>",
        "<a ID='x y'/>",
        "<a ID='x:y'/>",
        "<a ID='#x'/>",
        "<a ID=\"x'] | //*['\"/>",
        f"<a ID='{'x' * 257}'/>",
    ],
)
def test_an_id_is_an_ncname_and_names_one_element(document: str) -> None:
    with pytest.raises(GatewayError) as error:
        check_ids(parse(document.encode()).root)
    assert error.value.code is saml_codes.ID


def test_ids_are_told_apart_over_several_trees() -> None:
    one, two, again = (parse(f"<a ID='{name}'/>".encode()).root for name in ("_x", "_y", "_x"))
    check_ids(one, two)
    with pytest.raises(GatewayError):
        check_ids(one, two, again)


def test_ncname() -> None:
    assert all(is_ncname(name) for name in ("_a", "a", "é1", "a-b.c_d", "id-1", "x" * 256))
    assert not any(is_ncname(name) for name in ("", "-a", ".a", "1", "a b", "a\n", "a:b"))


@settings(max_examples=300)
@given(st.binary(max_size=200))
@example(b"<?xml version='1.0' encoding='\xff'?><a/>")
def test_any_bytes_are_a_document_or_refused(document: bytes) -> None:
    assert outcome(parse, document) in {None, saml_codes.DOCUMENT}


@settings(max_examples=500)
@given(st.lists(MARKUP, max_size=14))
def test_any_markup_is_a_document_or_refused(pieces: list[str]) -> None:
    document = "".join(pieces).encode()
    assert outcome(lambda: check_ids(parse(document).root)) in {None, saml_codes.DOCUMENT, saml_codes.ID}


def test_an_element_is_looked_at_once_however_many_comments_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """XS22: looked at for each of them, 19,000 comments in 130 KB took half a minute."""
    looked_at: list[etree._Element] = []
    judge = document._holds_a_value
    monkeypatch.setattr(document, "_holds_a_value", lambda element: (looked_at.append(element), judge(element))[1])
    parse(b"<a><b/>" + b"<!---->" * 19_000 + b"<c><!----><d/></c></a>")
    assert len(looked_at) == 2


NS = 'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion"'
ISSUER = "<a:Issuer>urn:idp</a:Issuer>"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (f"<p:Response {NS} InResponseTo='_r'>{ISSUER}</p:Response>", UnverifiedMessage("Response", "urn:idp", "_r")),
        (f"<p:LogoutRequest {NS}>{ISSUER}</p:LogoutRequest>", UnverifiedMessage("LogoutRequest", "urn:idp", None)),
        # Profiles 4.1.4.2: the Response may leave it to the assertion
        (
            f"<p:Response {NS}><a:Assertion>{ISSUER}</a:Assertion></p:Response>",
            UnverifiedMessage("Response", "urn:idp", None),
        ),
        (
            f"<p:Response {NS}>{ISSUER}<a:Assertion><a:Issuer>urn:other</a:Issuer></a:Assertion></p:Response>",
            UnverifiedMessage("Response", "urn:idp", None),
        ),
    ],
)
def test_a_message_says_whose_keys_would_have_signed_it(message: str, said: UnverifiedMessage) -> None:
    assert read_unverified(parse(message.encode())) == said


@pytest.mark.parametrize(
    "message",
    [
        f"<p:Response {NS}/>",
        f"<p:Response {NS}><a:Issuer/></p:Response>",
        f"<p:Response {NS}><a:Issuer>urn:{'x' * 1021}</a:Issuer></p:Response>",
        f"<p:Response {NS}><a:Extensions>{ISSUER}</a:Extensions></p:Response>",
    ],
)
def test_a_message_of_nobody_is_refused(message: str) -> None:
    with pytest.raises(GatewayError) as refused:
        read_unverified(parse(message.encode()))
    assert refused.value.code is saml_codes.ISSUER
