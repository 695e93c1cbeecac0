"""Metadata changed at random: `python -m tests.saml.fuzz_metadata [SECONDS] [SEED]`.

Whatever comes of a change, it ends in an error of ours; and what is signed says what the federation signed, or nothing.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from gateway.model.errors import GatewayError
from gateway.saml.metadata import (
    cache_duration,
    entities,
    idp_metadata,
    is_identity_provider,
    require_valid,
    valid_until,
)
from gateway.saml.metadata_document import MetadataPart, given, verified
from gateway.saml.parties import IdpMetadata
from tests.saml.fuzz import in_bytes, in_tree
from tests.saml.metadata_samples import AD_FS, ENTRA, SHIBBOLETH, entity, group, role, signed
from tests.saml.parties import NOW, pair, spki

KEYS = (spki(pair("federation")),)
_TIMES = 'validUntil="2027-01-20T00:00:00Z" cacheDuration="PT6H"'
_DOCUMENTS = [
    AD_FS.partition("?>")[2],
    ENTRA.partition("?>")[2],
    SHIBBOLETH,
    entity(role("<md:NameIDFormat>x</md:NameIDFormat>"), attributes=_TIMES),
    group([entity(), entity(id="urn:b"), "\n", group([entity(id="urn:a")], id="_h")], attributes=_TIMES),
    group(
        [group([entity(), " x", entity(id="urn:b")], id="_h"), group([group([entity(id="urn:a")], id="_i")], id="_j")],
        attributes=_TIMES,
    ),
]


def read(parts: Iterator[MetadataPart]) -> list[IdpMetadata]:
    """All that is ever read of metadata."""
    found, first = [], next(parts)
    valid_until(first)
    cache_duration(first)
    for each in entities(_chained(first, parts)):
        if is_identity_provider(each):
            metadata = _one(each)
            if metadata is not None:
                found.append(metadata)
    return found


def _one(entity: object) -> IdpMetadata | None:
    try:
        metadata = idp_metadata(entity)  # type: ignore[arg-type]
        require_valid(metadata, NOW)
    except GatewayError:
        return None
    return metadata


def _chained(first: MetadataPart, rest: Iterator[MetadataPart]) -> Iterator[MetadataPart]:
    yield first
    yield from rest


def _cut(document: bytes, chance: random.Random) -> Iterator[bytes]:
    size = chance.choice((50, 500, 5000, 1 << 20))
    return (document[start : start + size] for start in range(0, len(document), size))


def run(seconds: float, seed: int) -> Counter[str]:
    chance, found = random.Random(seed), Counter[str]()
    good = [signed(document) for document in _DOCUMENTS]
    expected = {document: read(verified([document], KEYS)) for document in good}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        document = chance.choice(good)
        try:
            changed = chance.choice((in_bytes, in_tree))(document, chance)
        except (etree.LxmlError, ValueError, TypeError):
            found["not made"] += 1
            continue
        try:
            read(given(_cut(changed, chance)))
            found["read as given"] += 1
        except GatewayError as error:
            found[f"given: {error.code.id}"] += 1
        try:
            said = read(verified(_cut(changed, chance), KEYS))
        except GatewayError as error:
            found[f"signed: {error.code.id}"] += 1
        else:
            assert said == expected[document], changed
            found["accepted as signed"] += 1
    return found


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found = run(seconds, seed)
    print(f"{sum(found.values())} outcomes in {seconds:.0f} s, seed {seed}: no exception but our own")
    for code, count in found.most_common():
        print(f"{count:9} {code}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
