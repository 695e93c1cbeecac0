"""XS20: metadata that are not what the federation signed, or not now, leave the last good copy where it is."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from gateway.federation.metadata_index import read_copy, read_entity
from gateway.federation.metadata_indexing import index_document
from gateway.federation.metadata_source import MetadataSource, source_of
from gateway.model.errors import GatewayError
from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.world import World
from tests.federation.metadata_server import Kind, MetadataServer
from tests.saml.metadata_samples import (
    SSO,
    bloated,
    entity,
    group,
    key,
    long_namespace,
    many_attributes,
    role,
    signed,
)
from tests.saml.parties import IDP, NOW, certificate_text, pair, spki

SOON = 'validUntil="2027-01-20T00:00:00Z"'
_EXTERNAL = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_LAUGHS = b'<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]>'
NEXT = key(certificate_text(pair("idp-next")))


def _source(kind: Kind) -> MetadataSource:
    found = source_of(MetadataServer(1).provider("/", kind))
    expect(found is not None, "nothing to fetch")
    assert found is not None
    return found


def kept(document: Callable[[], bytes], code: str, kind: Kind = "aggregate") -> Run:
    """Refused with this code, and what was good before serves on."""

    def judge() -> None:
        source = _source(kind)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            copy = index_document(source, [signed(entity(attributes=SOON))], folder, NOW)
            try:
                index_document(source, [document()], folder, NOW)
            except GatewayError as error:
                expect(error.code.id == code, f"refused as {error.code.id}, not {code}")
            else:
                expect(False, "taken")
            expect(read_copy(folder, source.id) == copy, "the last good copy is gone")
            found = read_entity(folder, source.id, IDP)
            expect(found is not None and found.signing_keys == (spki(pair("idp")),), "other keys than before")

    async def run(world: World) -> None:
        await asyncio.to_thread(judge)

    return run


def keys_of(document: Callable[[], bytes], *expected: str) -> Run:
    async def run(world: World) -> None:
        with tempfile.TemporaryDirectory() as name:
            index_document(_source("entity"), [document()], Path(name), NOW)
            found = read_entity(Path(name), _source("entity").id, IDP)
            keys = () if found is None else found.signing_keys
            expect(keys == tuple(spki(pair(each)) for each in expected), f"{len(keys)} keys")

    return run


def _evil(text: str, other: str) -> Callable[[], bytes]:
    return lambda: signed(group([entity()])).replace(text.encode(), other.encode())


def _endpoint(location: str) -> Callable[[], bytes]:
    sso = SSO.replace("https://idp.metropole.example/sso/post", location).replace(
        "https://idp.metropole.example/sso", location
    )
    return lambda: signed(entity(role(sso=sso), attributes=SOON))


def _declared(count: int, content: str = "") -> str:
    return "<x " + " ".join(f'xmlns:a{number}="urn:{number}"' for number in range(count)) + f">{content}</x>"


def _bloated(what: str) -> Callable[[], bytes]:
    return lambda: bloated(signed(entity(attributes=SOON)), what)


def _in_the_first_of_many() -> bytes:
    """What is read later shows nothing of it any more: each part is looked at before the next one comes."""
    members = [
        entity(),
        *(entity(id=f"https://idp{number}.example").replace("_e", f"_{number}") for number in range(9)),
    ]
    attributes = " ".join(f'a{number}=""' for number in range(80_000)).encode()
    return signed(group(members)).replace(b"</md:EntityDescriptor>", b"<x %b/></md:EntityDescriptor>" % attributes, 1)


XS20: tuple[tuple[str, Run], ...] = (
    ("unsigned", kept(lambda: group([entity()]).encode(), "saml.metadata.signature")),
    ("signed by a stranger", kept(lambda: signed(group([entity()]), "stranger"), "saml.metadata.signature")),
    ("signed by whom it is about", kept(lambda: signed(group([entity()]), "idp"), "saml.metadata.signature")),
    ("an address changed", kept(_evil("/sso/post", "/evil/post"), "saml.metadata.signature")),
    ("a member signed by the federation in a group that is not",
     kept(lambda: group([signed(entity(attributes=SOON)).decode().partition("?>")[2]]).encode(),
          "saml.metadata.signature")),
    ("a validUntil that is over",
     kept(lambda: signed(group([entity()], attributes='validUntil="2027-01-15T08:00:00Z"')), "saml.metadata.expired")),
    ("no validUntil", kept(lambda: signed(group([entity()], attributes="")), "saml.metadata.validity")),
    ("a validUntil of a year",
     kept(lambda: signed(group([entity()], attributes='validUntil="2028-01-15T08:00:00Z"')), "saml.metadata.validity")),
    ("a validUntil put off", kept(_evil("2027-01-20", "2027-01-21"), "saml.metadata.signature")),
    ("an entity twice", kept(lambda: signed(group([entity(), entity()])), "saml.metadata.entity")),
    ("another entity", kept(lambda: signed(entity(id="urn:other", attributes=SOON)), "saml.metadata.entity", "mdq")),
    ("an address of javascript: (K142)", kept(_endpoint("javascript:alert(1)"), "saml.metadata.endpoint", "mdq")),
    ("an address of data:", kept(_endpoint("data:text/html,x"), "saml.metadata.endpoint", "mdq")),
    ("an external entity", kept(lambda: _EXTERNAL + signed(group([entity()])), "saml.metadata")),
    ("entities in entities", kept(lambda: _LAUGHS + signed(group([entity()])), "saml.metadata")),
    ("groups 40 deep",
     kept(lambda: signed(_deep(40)), "saml.metadata")),
    ("cut short", kept(lambda: signed(group([entity()]))[:-5], "saml.metadata")),
    ("no key that may sign", kept(lambda: signed(entity(role(keys=""), attributes=SOON)), "saml.metadata.key", "mdq")),
    ("a key of 1024 bits",
     kept(lambda: signed(entity(role(keys=key(certificate_text(pair(kind="rsa-1024")))), attributes=SOON)),
          "saml.metadata.key", "mdq")),
    ("the control: two keys during a roll-over",
     keys_of(lambda: signed(entity(role(keys=key() + NEXT))), "idp", "idp-next")),
    ("the control: the new key alone", keys_of(lambda: signed(entity(role(keys=NEXT))), "idp-next")),
    ("the control: a certificate that ran out", keys_of(lambda: signed(entity()), "idp")),
    # A genuine Signature under which the rest was bloated: none of it is canonicalised.
    ("80,000 attributes", kept(many_attributes, "saml.metadata", "mdq")),
    ("a namespace of 100,000 characters", kept(long_namespace, "saml.metadata", "mdq")),
    ("65 namespaces in one element", kept(_bloated(_declared(65)), "saml.metadata", "mdq")),
    ("129 namespaces in scope", kept(_bloated(_declared(43, _declared(43, _declared(43)))), "saml.metadata", "mdq")),
    ("elements 40 deep", kept(_bloated("<x>" * 40 + "</x>" * 40), "saml.metadata", "mdq")),
    ("a name of 600 characters", kept(_bloated(f"<{'x' * 600}/>"), "saml.metadata", "mdq")),
    ("an aggregate's member of 200,000 elements",
     kept(lambda: bloated(signed(group([entity()])), "<x/>" * 200_001), "saml.metadata")),
    ("an aggregate's member of 7 MB",
     kept(lambda: bloated(signed(group([entity()])), f"<x>{'x' * (7 << 20)}</x>"), "saml.metadata")),
    ("80,000 attributes in a member with others behind it", kept(_in_the_first_of_many, "saml.metadata")),
)  # fmt: skip


def _deep(levels: int) -> str:
    document = entity()
    for level in range(levels):
        document = group([document], id=f"_g{level}")
    return document


CASES: tuple[Case, ...] = tuple(
    uncontrolled(f"XS20.{number}", f"metadata: {meaning}", run) for number, (meaning, run) in enumerate(XS20, 1)
)
