"""Whoever holds no key keeps a genuine Signature and bloats the rest: refused before it is canonicalised."""

import pytest

from gateway.model.codes import saml_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.saml import metadata_digest, metadata_document
from gateway.saml.document import MOST_IN_SCOPE
from gateway.saml.metadata_document import LARGEST_PART, given, verified
from tests.saml.metadata_samples import SHIBBOLETH, bloated, entity, group, signed
from tests.saml.parties import pair, spki

KEYS = (spki(pair("federation")),)


def attributes(count: int, length: int = 1) -> str:
    return "<x " + " ".join(f'a{number:0{length}}=""' for number in range(count)) + "/>"


def declared(count: int, content: str = "") -> str:
    return "<x " + " ".join(f'xmlns:a{number}="urn:{number}"' for number in range(count)) + f">{content}</x>"


def stairs(steps: int, each: int) -> str:
    """`each` namespaces on each of `steps` elements, one in the other."""
    opened = ("<x " + " ".join(f'xmlns:a{step}_{n}="urn:{n}"' for n in range(each)) + ">" for step in range(steps))
    return "".join(opened) + "</x>" * steps


BLOATED = {
    "attributes": attributes(65),
    "attributes of namespaces": declared(60, "<y " + " ".join(f'a{n % 60}:b{n}=""' for n in range(65)) + "/>"),
    "namespaces": declared(65),
    "namespaces in scope": stairs(4, MOST_IN_SCOPE // 3),
    "a namespace's length": f'<a:x xmlns:a="urn:{"n" * 300}"/>',
    "the default namespace's length": f'<x xmlns="urn:{"n" * 300}"/>',
    "a prefix": f'<{"p" * 300}:x xmlns:{"p" * 300}="urn:a"/>',
    "an element's name": f"<{'x' * 600}/>",
    "an attribute's name": attributes(1, 600),
    "depth": "<x>" * 40 + "</x>" * 40,
    "nodes": "<x/>" * 200_001,
    "attributes as nodes": '<x a="" b="" c=""/>' * 50_001,
}


def refusal(document: bytes, *, keys: tuple[bytes, ...] | None = KEYS, piece: int = 1 << 18) -> Code:
    pieces = [document[start : start + piece] for start in range(0, len(document), piece)]
    with pytest.raises(GatewayError) as refused:
        list(given(pieces) if keys is None else verified(pieces, keys))
    return refused.value.code


@pytest.fixture
def canonicalised(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the digest was asked for: it is real, and only listened to."""
    begun: list[object] = []
    digest = metadata_digest.MetadataDigest

    class Listened(digest):  # type: ignore[valid-type, misc]
        def __init__(self, first: metadata_digest.Part, keys: tuple[bytes, ...]) -> None:
            begun.append(first)
            super().__init__(first, keys)

        def add(self, part: metadata_digest.Part) -> None:
            begun.append(part)
            super().add(part)

    monkeypatch.setattr(metadata_document, "MetadataDigest", Listened)
    return begun


@pytest.mark.parametrize("what", BLOATED.values(), ids=BLOATED.keys())
def test_a_bloated_entity_is_refused_before_it_is_canonicalised(what: str, canonicalised: list[object]) -> None:
    assert refusal(bloated(signed(entity()), what)) == saml_codes.METADATA
    assert canonicalised == []
    assert refusal(bloated(entity().encode(), what), keys=None) == saml_codes.METADATA, "the operator's file too"


@pytest.mark.parametrize("member", [2, 5], ids=["in the middle", "the last"])
@pytest.mark.parametrize("what", BLOATED.values(), ids=BLOATED.keys())
def test_in_a_part_of_an_aggregate_too(what: str, member: int, canonicalised: list[object]) -> None:
    """The parts before it are digested, the one that is bloated is not."""
    members = [entity(id=f"https://idp{number}.example").replace("_e", f"_{number}") for number in range(6)]
    end = b"</md:EntityDescriptor>"
    before, after = divided(signed(group(members)), end, member)
    assert refusal(before + what.encode() + end + after, piece=2000) == saml_codes.METADATA
    assert 0 < len(canonicalised) <= member + 1


def divided(document: bytes, end: bytes, number: int) -> tuple[bytes, bytes]:
    """What stands before the end of this member, and behind it."""
    members = document.split(end)
    return end.join(members[: number + 1]), end.join(members[number + 1 :])


def test_an_aggregate_with_an_entity_that_does_not_end() -> None:
    genuine = signed(group([entity(id="https://a.example"), entity()]))
    last = genuine.rindex(b"</md:EntityDescriptor>")
    document = genuine[:last] + b"<x>" + b"x" * LARGEST_PART + b"</x>" + genuine[last:]
    assert refusal(document) == saml_codes.METADATA


def test_what_real_metadata_have_passes_and_is_judged_by_its_signature() -> None:
    within = declared(60, "<y " + " ".join(f'a{number}:b=""' for number in range(60)) + "/>" + "<x/>" * 1000)
    assert refusal(bloated(signed(entity()), within)) == saml_codes.METADATA_SIGNATURE
    assert list(verified([signed(SHIBBOLETH)], KEYS))
    assert list(verified([signed(bloated(entity().encode(), within).decode())], KEYS))


def test_a_whole_federation_in_a_file_of_the_operator() -> None:
    members = (entity(id=f"https://idp{number}.example") for number in range(5000))
    document = group(members).encode()
    assert len(document) > LARGEST_PART
    assert len(list(given([document]))) > 2
