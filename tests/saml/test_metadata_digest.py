"""What xmlsec signed as a whole comes to the same digest in parts, however it is cut; and nothing else does."""

import random
import re
from collections.abc import Iterator

import pytest
import xmlsec
from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.metadata import entities, find_entity, idp_metadata
from gateway.saml.metadata_document import given, verified
from gateway.saml.signing import sign_enveloped
from tests.saml.metadata_samples import AD_FS, MD, SHIBBOLETH, SSO, entity, group, role, signed
from tests.saml.parties import IDP, pair, spki

KEYS = (spki(pair("federation")),)
SIZES = [1, 64, 700, 4096, 1 << 20]
DS = "{http://www.w3.org/2000/09/xmldsig#}"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"


def name(number: int) -> str:
    return f"https://idp{number}.example"


def member(number: int, **changes: str) -> str:
    return entity(id=name(number), **changes)


def cut(document: bytes, size: int) -> Iterator[bytes]:
    return (document[start : start + size] for start in range(0, len(document), size))


def found(document: bytes, size: int) -> list[str]:
    return [each.id for each in entities(verified(cut(document, size), KEYS))]


def refused(document: bytes, size: int = 700) -> bool:
    with pytest.raises(GatewayError) as error:
        found(document, size)
    return error.value.code == saml_codes.METADATA_SIGNATURE


# --- what is signed is read, however it comes -------------------------------------------------------------------------

EXTENSIONS = '<md:Extensions><mdrpi:x xmlns:mdrpi="urn:mdrpi" b="2" a="1">&lt;é&#13;</mdrpi:x></md:Extensions>'
REDECLARED = member(3).replace(f" {MD}", "").replace("md:", "").replace(
    "<EntityDescriptor", '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"'
).replace("<ds:", "<d:").replace("</ds:", "</d:").replace(
    "<d:KeyInfo", '<d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#" xml:lang="fr"'
)  # fmt: skip
MEMBERS = [member(1), member(2), REDECLARED, SHIBBOLETH, member(4)]
IDS = [name(1), name(2), name(3), IDP, name(4)]

SHAPES = {
    "plain": group(MEMBERS),
    "text around the members": group(f"\n {each}\t" for each in MEMBERS),
    "text and what is not a member": group([f"x]]&gt;y{EXTENSIONS} z ", *MEMBERS, "end &amp; all"]),
    "instructions": group(f"<?a b?>{each}<?c?>" for each in MEMBERS),
    "attributes and prefixes": group(
        MEMBERS, attributes='Name="a &gt; &quot;b&quot;" xml:lang="fr" xmlns:z="urn:z" xmlns="urn:w" z:b="1" a="2"'
    ),
    "two prefixes of one namespace": group(
        MEMBERS,
        attributes='xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:a="urn:oasis:names:tc:SAML:2.0:metadata"',
    ),
    "groups in groups": group([member(1), group([member(2), group(MEMBERS[2:3], id="_i")], id="_h"), *MEMBERS[3:]]),
    "one group in a group": group([group(MEMBERS, id="_h")]),
    "text around groups": group(
        [f"a{group([f' b{each} c ' for each in MEMBERS[:3]], id='_h')}d", f"{group(MEMBERS[3:], id='_i')} e"]
    ),
    "groups that are empty": group([group([], id="_h"), group([*MEMBERS[:2], group([], id="_i")]), *MEMBERS[2:]]),
    "groups at every depth": group(
        [group([group([MEMBERS[0], group([MEMBERS[1]], id="_k")], id="_i"), MEMBERS[2]], id="_h"), *MEMBERS[3:]]
    ),
    "what looks like a group in an extension": group(
        [
            group(
                [f"<md:Extensions>{group([EXTENSIONS, '<md:EntityDescriptor/>'], id='_x')}</md:Extensions>"], id="_h"
            ),
            *MEMBERS,
        ]
    ),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_group_that_xmlsec_signed(shape: str, size: int) -> None:
    assert found(signed(SHAPES[shape]), size) == IDS


@pytest.mark.parametrize("size", SIZES)
def test_one_entity(size: int) -> None:
    document = signed(AD_FS.replace('<?xml version="1.0" encoding="utf-8"?>', ""))
    assert idp_metadata(find_entity(verified(cut(document, size), KEYS), IDP)).entity_id == IDP


@pytest.mark.parametrize("size", SIZES)
def test_comments_are_no_part_of_it(size: int) -> None:
    document = signed(group(MEMBERS)).replace(
        b"<md:EntityDescriptor", b"<!-- a -->\n<md:EntityDescriptor".replace(b"\n", b"")
    )
    assert found(document, size) == IDS


def test_the_comments_of_whoever_signs() -> None:
    assert found(signed(group(f"<!-- {each[:9]} -->{each}" for each in MEMBERS).replace("--><", "--> <")), 700) == IDS


@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
def test_a_federation_that_signs_with_an_elliptic_curve(kind: str) -> None:
    document = sign_enveloped(pair("curve", kind), group(MEMBERS).encode())
    parts = verified(cut(document, 700), (spki(pair("curve", kind)),))
    assert [each.id for each in entities(parts)] == IDS


@pytest.mark.parametrize("size", SIZES)
def test_prefixes_that_are_signed_though_nothing_uses_them(size: int) -> None:
    """XML Exclusive Canonicalization 2.1: what xsi:type names in its value is listed in PrefixList."""
    document = signed_with_prefixes(
        group(MEMBERS, attributes='xmlns:fed="urn:fed" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'),
        "fed xsi",
    )
    assert found(document, size) == IDS


def signed_with_prefixes(document: str, prefixes: str) -> bytes:
    root = etree.fromstring(signed(document))
    (signature,) = root.iter(f"{DS}Signature")
    for method in (*signature.iter(f"{DS}CanonicalizationMethod"), list(signature.iter(f"{DS}Transform"))[1]):
        etree.SubElement(method, f"{{{EXC_C14N}}}InclusiveNamespaces", PrefixList=prefixes)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair("federation").key, xmlsec.constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(signature)
    return etree.tostring(root)


def test_what_a_member_writes_of_itself_spoils_nothing() -> None:
    """`xml:id` means nothing here: what is signed is found by where it stands, not by an ID."""
    odd = (
        '<md:Extensions xml:id="_x"><x xmlns="u:x" xml:id="%s" ID="_g">xml:id &lt;!DOCTYPE &lt;!ENTITY</x>'
        "</md:Extensions>"
    )
    document = signed(group([member(1, roles=odd % "_y" + role()), member(2)]))
    for size in SIZES:
        assert found(document, size) == [name(1), name(2)]
    assert refused(document.replace(b"DOCTYPE", b"DOCTYPF"))
    twice = group([member(1, roles=odd % "_x" + role()), member(2, roles=odd % "_x" + role())])
    assert [each.id for each in entities(given([twice.encode()]))] == [name(1), name(2)]


# --- nothing else is --------------------------------------------------------------------------------------------------

SIGNED = signed(group(f"{each}\n" for each in MEMBERS))
WRITTEN = re.findall(rb"<(?:md:)?EntityDescriptor .*?</(?:md:)?EntityDescriptor>\n", SIGNED, re.DOTALL)


@pytest.mark.parametrize("size", [700, 1 << 20])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"idp1.example", b"idp9.example"),
        (b"idp4.example", b"idp9.example"),
        (b"</md:EntitiesDescriptor>", b"</md:EntitiesDescriptor>".rjust(25)),
        (b"</md:EntitiesDescriptor>", f"{member(9)}</md:EntitiesDescriptor>".encode()),
        (b"</md:EntitiesDescriptor>", b"<?a?></md:EntitiesDescriptor>"),
        (b'validUntil="2027-01-20T00:00:00Z"', b'validUntil="2027-01-30T00:00:00Z"'),
        (b"</ds:Signature>", b"</ds:Signature> "),
        (WRITTEN[0], b""),
        (WRITTEN[1], b""),
        (WRITTEN[4], b""),
        (WRITTEN[0] + WRITTEN[1], WRITTEN[1] + WRITTEN[0]),
        (WRITTEN[3] + WRITTEN[4], WRITTEN[4] + WRITTEN[3]),
    ],
)
def test_no_member_is_changed_added_taken_or_moved(before: bytes, after: bytes, size: int) -> None:
    assert before in SIGNED
    assert refused(SIGNED.replace(before, after, 1), size)


def test_no_byte_of_any_member_is_changed() -> None:
    """But in what canonicalisation leaves out, as the declaration of a prefix that nothing uses."""
    chance, refusals = random.Random(1), 0
    for at in chance.sample(range(SIGNED.index(WRITTEN[0]), len(SIGNED) - 30), 150):
        changed = SIGNED[:at] + (b"b" if SIGNED[at : at + 1] == b"a" else b"a") + SIGNED[at + 1 :]
        try:
            found(changed, 700)
        except GatewayError:
            refusals += 1
        else:
            assert canonical(changed) == canonical(SIGNED)
    assert refusals > 100


def canonical(document: bytes) -> bytes:
    return etree.tostring(etree.fromstring(document), method="c14n", exclusive=True)


def test_a_signature_after_the_first_member_is_none() -> None:
    """Metadata 2.3.1: it stands first. Whoever signs late would have us read it all before we know of whom it is."""
    (signature,) = etree.fromstring(SIGNED).iter(f"{DS}Signature")
    end = b"</md:EntitiesDescriptor>"
    moved = re.sub(rb"<ds:Signature.*?</ds:Signature>", b"", SIGNED, count=1, flags=re.DOTALL)
    late = moved.replace(end, etree.tostring(signature, with_tail=False) + end)
    assert refused(late)
    assert refused(late, 1 << 20)


def test_the_signature_of_a_member_is_not_that_of_the_group() -> None:
    inner = signed(member(1)).decode().partition("?>")[2]
    assert refused(group([inner, member(2)]).encode(), 1 << 20)


def test_an_entity_that_is_there_in_two_parts() -> None:
    with pytest.raises(GatewayError) as error:
        found(signed(group([member(1), *(member(each) for each in range(2, 9)), member(1)])), 700)
    assert error.value.code == saml_codes.METADATA_ENTITY


def test_of_a_large_group_no_part_holds_much() -> None:
    document = signed(group(member(each, roles=role(sso=SSO)) for each in range(300)))
    sizes = [len(part.root) for part in verified(cut(document, 8192), KEYS)]
    assert sum(sizes) == 301
    assert max(sizes) < 12


def test_nor_of_a_large_group_in_groups() -> None:
    """As some federations publish those of others: all in one group of the root."""
    members = [member(each, roles=role(sso=SSO)) for each in range(300)]
    document = signed(group([group([group(members, id="_i")], id="_h")]))
    sizes = [len(list(entities([part]))) for part in verified(cut(document, 8192), KEYS)]
    assert sum(sizes) == 300
    assert max(sizes) < 12


@pytest.mark.parametrize("size", [64, 700, 1 << 20])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("</md:EntitiesDescriptor>{}", "{}</md:EntitiesDescriptor>"),
        (
            "</md:EntitiesDescriptor>{}",
            '</md:EntitiesDescriptor><md:EntitiesDescriptor ID="_h">{}</md:EntitiesDescriptor>',
        ),
        ("{}", '{}<md:EntitiesDescriptor ID="_i"/>'),
    ],
)
def test_no_member_leaves_its_group(before: str, after: str, size: int) -> None:
    document = signed(group([group([member(1), member(2)], id="_h"), member(3), member(4)])).decode()
    third = re.search(r"<md:EntityDescriptor [^>]*idp3.*?</md:EntityDescriptor>", document, re.DOTALL)
    assert third is not None
    assert before.format(third[0]) in document
    assert refused(document.replace(before.format(third[0]), after.format(third[0]), 1).encode(), size)
