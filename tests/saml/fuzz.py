"""Responses changed at random: `python -m tests.saml.fuzz [SECONDS] [SEED]`.

Whatever comes of a change, it ends in an error of ours, or in the very assertion that the provider signed.
"""

import copy
import random
import sys
import time
from collections import Counter
from collections.abc import Callable

from lxml import etree

from gateway.model.errors import GatewayError
from gateway.saml.document import parse
from gateway.saml.message_schema import SCHEMA
from tests.saml.forgeries import FORGERIES
from tests.saml.idp import build, written
from tests.saml.scene import ASKED_FOR, NOW, SCENE, provider, validated
from tests.saml.shapes import SHAPES as PRODUCTS
from tests.saml.valid import WAYS

TOKENS = [
    b"<", b">", b"&", b"&#0;", b"&#x41;", b"&x;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x?>", b"<!DOCTYPE x>",
    b"\x00", b"\xff", b"\xc3\xa9", b"'", b'"', b"/>", b' xmlns="u:x"', b' xmlns:saml2="u:x"', b' ID="_assertion-1"',
    b' Id="x"', b' xml:id="_assertion-1"', b"2.0", b"#", b"=", b" ", b"\n", b"\xe2\x80\x8b", b"_response-1",
    b"_assertion-1",
]  # fmt: skip
TAGS = sorted(SCHEMA)


def seeds() -> list[tuple[bytes, dict[str, object]]]:
    """Good responses with the settings that take them."""
    found: list[tuple[bytes, dict[str, object]]] = []
    for shape in PRODUCTS:
        for apply, settings in WAYS.values():
            root = build(SCENE, shape)
            apply(root, SCENE, shape)
            found.append((written(root), dict(settings)))
    return found


def in_bytes(document: bytes, chance: random.Random) -> bytes:
    changed = bytearray(document)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.choice((1, 2, 10, 200))]
            case 2:
                changed[place:place] = chance.choice(TOKENS)
            case 3:
                start = chance.randrange(len(changed) + 1)
                changed[place:place] = changed[start : start + chance.choice((5, 50, 500))]
            case _:
                changed[place : place + 3] = chance.choice(TOKENS)
    return bytes(changed)


def in_tree(document: bytes, chance: random.Random) -> bytes:
    root = etree.fromstring(document)
    for _ in range(chance.choice((1, 1, 2, 3))):
        elements = list(root.iter("*"))
        one, other = chance.choice(elements), chance.choice(elements)
        match chance.randrange(8):
            case 0 if one is not root:
                one.getparent().remove(one)  # type: ignore[union-attr]
            case 1:
                other.insert(chance.randrange(len(other) + 1), copy.deepcopy(one))
            case 2 if one is not root and one not in other.iterancestors() and one is not other:
                other.append(one)
            case 3:
                one.text = chance.choice(["", " ", "admin", "_assertion-1", other.text])
            case 4:
                name = chance.choice([*one.attrib, "ID", "Id", "Version", "Algorithm", "{u:x}y"])
                one.set(
                    name, chance.choice(["", "_assertion-1", "2.0", "#_assertion-1", *map(str, other.attrib.values())])
                )
            case 5 if one.attrib:
                del one.attrib[chance.choice(list(one.attrib))]
            case 6:
                one.tag = chance.choice(TAGS)
            case _:
                one.insert(chance.randrange(len(one) + 1), etree.Element(chance.choice(TAGS)))
    return etree.tostring(root)


def run(seconds: float, seed: int) -> Counter[str]:
    chance, found = random.Random(seed), Counter[str]()
    good = seeds()
    forged = [
        (each.make(SCENE), dict(each.settings))
        for each in FORGERIES
        if each.asked == "usual" and len(document := each.make(SCENE)) < 50_000 and document[:1] == b"<"
    ]
    expected = {document: validated(document, of=provider(**settings)) for document, settings in good}
    usual = next(found for document, found in expected.items() if b"<saml2p:Response" in document)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        document, settings = chance.choice(good if chance.random() < 0.8 else forged)
        change: Callable[[bytes, random.Random], bytes] = chance.choice((in_bytes, in_tree))
        try:
            changed = change(document, chance)
        except (etree.LxmlError, ValueError, TypeError):
            found["not made"] += 1
            continue
        try:
            assertion = validated(changed, of=provider(**settings), asked=ASKED_FOR["usual"], now=NOW)
        except GatewayError as error:
            found[error.code.id] += 1
        else:
            # A change may mend a forgery: then it says what the good response of its shape says.
            said = expected.get(document, usual)
            same = (assertion.name_id, assertion.attributes, assertion.id, assertion.audience)
            assert same == (said.name_id, said.attributes, said.id, said.audience), changed
            found["accepted as signed"] += 1
        parse_only(changed, chance)
    return found


def parse_only(document: bytes, chance: random.Random) -> None:
    """What is no message at all, but bytes from it."""
    start = chance.randrange(len(document) + 1)
    try:
        parse(document[start : start + chance.choice((10, 100, 1000))])
    except GatewayError:
        return


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found = run(seconds, seed)
    print(f"{sum(found.values())} documents in {seconds:.0f} s, seed {seed}: no exception but our own")
    for code, count in found.most_common():
        print(f"{count:9} {code}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
