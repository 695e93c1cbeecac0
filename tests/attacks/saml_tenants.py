"""XS13 and XS15: an assertion signs in once, and a provider speaks for its own organisation alone."""

import asyncio
import copy
import json
import secrets
import sqlite3
import time
from contextlib import closing

from lxml import etree

from gateway.model.provider import LONGEST_SKEW
from tests.attacks import saml_providers as idps
from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.outcomes import sign_in_refused
from tests.attacks.saml_browser import PAGE, answered, is_signed_in, scene_of, sent
from tests.attacks.world import World
from tests.browser_like import Person
from tests.saml.idp import SAML, Scene, assertion, at, build, encrypt, one, sign, written

# --- XS13: where answers unasked are let in, nothing but the assertion's ID stands against a replay ---

UNASKED = idps.name_with(unsolicited=True)


def _document(world: World, **more: object) -> etree._Element:
    scene = scene_of(world, UNASKED, "")
    values = {"in_response_to": None, "confirmed_request": None, "assertion_id": f"_{secrets.token_hex(16)}", **more}
    root = build(scene.but(**values))
    sign(assertion(root), scene.key)
    return root


async def _arrives(world: World, root: etree._Element) -> bool:
    """In a browser of its own: whether it is signed in by that."""
    person = world.guest()
    await person.follow(await answered(world, person, written(root), None))
    page = await person.step("GET", world.url(UNASKED, PAGE))
    while page.location and not page.location.startswith(idps.IDP):
        page = await person.step("GET", page.location, initiator=page.url)
    await person.close()
    return page.status == 200


def replayed(again: object) -> Run:
    async def run(world: World) -> None:
        root = _document(world)
        expect(await _arrives(world, root), "the control: it signs in")
        mark = world.gateway.mark()
        other = copy.deepcopy(root)
        again(other)  # type: ignore[operator]
        for _ in range(4):
            expect(not await _arrives(world, other), "an assertion signed in twice")
        await world.logged(mark, code="saml.replayed")

    return run


def _as_it_is(root: etree._Element) -> None:
    pass


def _in_another_response(root: etree._Element) -> None:
    root.set("ID", f"_{secrets.token_hex(16)}")


def _encrypted_anew(root: etree._Element) -> None:
    encrypt(assertion(root), idps.OURS)


async def at_once(world: World) -> None:
    root = _document(world)
    arrived = await asyncio.gather(*(_arrives(world, root) for _ in range(12)))
    expect(sum(arrived) == 1, f"an assertion brought 12 times at once signed in {sum(arrived)} times")


async def of_a_clock_ahead(world: World) -> None:
    """The database is set aside between two uses of a response that its provider dated ahead, as its skew allows."""
    now = int(time.time())
    mark = world.gateway.mark()
    ahead = at(now + 170)
    root = _document(world, assertion_issued=ahead, issued=ahead)
    expect(await _arrives(world, root), "the control: it signs in")
    with closing(sqlite3.connect(world.folder / "var/sessions.sqlite", isolation_level=None)) as store:
        (before,) = store.execute("SELECT refuses_before FROM store").fetchone()
        # As the store that takes the place of one set aside begins (tests/stores/sqlite/test_mending.py).
        store.execute("DELETE FROM used")
        store.execute("UPDATE store SET refuses_before = ?", (now + LONGEST_SKEW + 1,))
        try:
            expect(not await _arrives(world, root), "an assertion signed in twice, once before the store was lost")
            await world.logged(mark, code="saml.replayed")
        finally:
            store.execute("UPDATE store SET refuses_before = ?", (before,))


async def from_before_the_store(world: World) -> None:
    """A store that replaced a lost one does not know what was used up in that."""
    now = int(time.time())
    with closing(sqlite3.connect(world.folder / "var/sessions.sqlite", isolation_level=None)) as store:
        store.execute("UPDATE store SET refuses_before = ?", (now - 5,))
    mark = world.gateway.mark()
    older = _document(world, assertion_issued=at(now - 30), issued=at(now - 30))
    expect(not await _arrives(world, older), "an assertion of before signed in")
    await world.logged(mark, code="saml.replayed")
    expect(await _arrives(world, _document(world)), "the control: one of now signs in")


XS13 = (
    ("the same answer again", replayed(_as_it_is)),
    ("the same assertion in another response", replayed(_in_another_response)),
    ("the same assertion encrypted anew", replayed(_encrypted_anew)),
    ("the same answer twelve times at once", at_once),
    ("an answer dated ahead, used before the session store was lost", of_a_clock_ahead),
    ("an answer from before the session store was lost and made anew", from_before_the_store),
)

# --- XS15: correctly signed, and not its own ---

MAIL = "urn:oid:0.9.2342.19200300.100.1.3"
GOOD = {
    "siret": [idps.SIRET],
    "siren": [idps.SIRET[:9]],
    MAIL: ["a@metropole.example"],
    "groups": ["agents"],
    "eduPersonPrincipalName": ["a@metropole.example"],
}
B, B_SIREN = idps.OTHER_SIRET, idps.OTHER_SIRET[:9]
FOREIGN = (
    ("mail of another", {MAIL: ["x@departement.example"]}),
    ("mail of both", {MAIL: ["a@metropole.example", "x@departement.example"]}),
    ("two addresses in one", {MAIL: ["a@metropole.example,x@departement.example"]}),
    ("mail of a subdomain", {MAIL: ["x@evil.metropole.example"]}),
    ("a domain that only looks alike", {MAIL: ["x@m\u0435tropole.example"]}),
    ("a scope of another", {"eduPersonPrincipalName": ["x@departement.example"]}),
    ("two scopes in one", {"eduPersonPrincipalName": ["x@departement.example@metropole.example"]}),
    ("no scope", {"eduPersonPrincipalName": ["x"]}),
    ("SIRET of another", {"siret": [B]}),
    ("SIRET of both", {"siret": [idps.SIRET, B]}),
    ("SIRET with blanks", {"siret": [f"{idps.SIRET[:9]} {idps.SIRET[9:]}"]}),
    ("SIRET with a wrong check digit", {"siret": [f"{idps.SIRET[:-1]}8"]}),
    ("SIRET of 15 digits", {"siret": [f"{idps.SIRET}0"]}),
    ("SIREN of another", {"siren": [B_SIREN]}),
    ("SIREN of both", {"siren": [idps.SIRET[:9], B_SIREN]}),
    ("a group of another", {"groups": ["agents", "B-admins"]}),
    *((f"an address of another as {name}", {name: ["x@departement.example"]}) for name in idps.DISGUISES),
    ("an address of another in brackets", {"upn": ["A <x@departement.example>"]}),
    ("an address of another after one of its own", {"upn": ["a@metropole.example x@departement.example"]}),
    ("an address of another with a full-width sign", {"upn": ["x\uff20departement.example"]}),
)
NAMES = ("x@departement.example", "x@departement.example@metropole.example", "mailto:x@departement.example")


def _stating(scene: Scene, name_id: str, attributes: dict[str, list[str]]) -> bytes:
    root = build(scene.but(name_id=name_id, assertion_id=f"_{secrets.token_hex(16)}"))
    statement = one(root, "//a:AttributeStatement")
    del statement[:]
    for name, values in attributes.items():
        attribute = etree.SubElement(statement, f"{{{SAML}}}Attribute", Name=name)
        for value in values:
            etree.SubElement(attribute, f"{{{SAML}}}AttributeValue").text = value
    sign(assertion(root), scene.key)
    return written(root)


async def _stated(world: World, name_id: str, attributes: dict[str, list[str]]) -> tuple[Person, int]:
    person, query, request_id = await sent(world, idps.BOUNDED)
    document = _stating(scene_of(world, idps.BOUNDED, request_id), name_id, attributes)
    page = await person.follow(await answered(world, person, document, query["RelayState"]))
    return person, page.status


def foreign(attributes: dict[str, list[str]], name_id: str = "alice") -> Run:
    async def run(world: World) -> None:
        mark = world.gateway.mark()
        person, status = await _stated(world, name_id, GOOD | attributes)
        sign_in_refused(status, person.jar.received)
        await world.logged(mark, code="login.outside_perimeter")
        expect(not await is_signed_in(world, idps.BOUNDED, person), "signed in all the same")
        await person.close()

    return run


async def own(world: World) -> None:
    person, status = await _stated(world, "alice", GOOD)
    expect(status == 200 and await is_signed_in(world, idps.BOUNDED, person), f"the control is refused: {status}")
    await person.close()


async def namesake(world: World) -> None:
    """A NameID equal to that of another provider's user: at that one's application it is nobody."""
    person, _ = await _stated(world, "alice", GOOD)
    other = idps.name_with()
    page = await person.step("GET", world.url(other, PAGE))
    expect(page.status == 303, f"one provider's session counts at another's application: {page.status}")
    told = json.loads((await person.script(world.url(idps.BOUNDED, "/_ecluse/session"))).body)
    expect(told["provider"] == idps.BOUNDED, f"somebody else: {told}")
    await person.close()


async def friendly(world: World) -> None:
    """Core 2.7.3.1: what an attribute is called for people makes it none that the provider's file takes."""
    person, query, request_id = await sent(world, idps.BOUNDED)
    root = etree.fromstring(_stating(scene_of(world, idps.BOUNDED, request_id), "alice", GOOD))
    groups = one(root, "//a:Attribute[@Name='groups']")
    groups.set("Name", "urn:evil:groups")
    groups.set("FriendlyName", "groups")
    page = await person.follow(await answered(world, person, _signed_anew(root), query["RelayState"]))
    expect(page.status == 200, f"the control: it signs in, {page.status}")
    told = (await person.script(world.url(idps.BOUNDED, "/_ecluse/session"))).text
    expect("alice" in told, f"the control: {told}")
    expect("agents" not in told, f"a FriendlyName made somebody a member: {told}")
    await person.close()


async def made_for_another(world: World) -> None:
    """Core 8.3.7: in another service's name space, alice is somebody else."""
    mark = world.gateway.mark()
    person, query, request_id = await sent(world, idps.BOUNDED)
    root = etree.fromstring(_stating(scene_of(world, idps.BOUNDED, request_id), "alice", GOOD))
    one(root, "//a:Subject/a:NameID").set("SPNameQualifier", "https://other.example")
    page = await person.follow(await answered(world, person, _signed_anew(root), query["RelayState"]))
    sign_in_refused(page.status, person.jar.received)
    await world.logged(mark, code="login.mapping")
    await person.close()


def _signed_anew(root: etree._Element) -> bytes:
    signature = one(root, "//ds:Signature")
    signature.getparent().remove(signature)  # type: ignore[union-attr]
    sign(assertion(root), idps.KEY)
    return written(root)


CASES: tuple[Case, ...] = (
    *(uncontrolled(f"XS13.{number}", meaning, run) for number, (meaning, run) in enumerate(XS13, 1)),
    uncontrolled("XS15.1", "the control: what is its own signs in", own),
    uncontrolled("XS15.2", "a NameID equal to that of another's user", namesake),
    *(uncontrolled(f"XS15.{number}", meaning, foreign(says)) for number, (meaning, says) in enumerate(FOREIGN, 3)),
    *(
        uncontrolled(f"XS15.{number}", f"a NameID {name}", foreign({}, name))
        for number, name in enumerate(NAMES, 3 + len(FOREIGN))
    ),
    uncontrolled("XS15.51", "a FriendlyName in the place of a Name", friendly),
    uncontrolled("XS15.52", "a NameID that was made for another service", made_for_another),
    uncontrolled("XS15.53", "SIRET of another by a name that ends otherwise", foreign({"codeSiret": [B]})),
    uncontrolled("XS15.54", "the same with blanks", foreign({"codeSiret": [f"{B[:9]} {B[9:]}"]})),
    uncontrolled("XS15.55", "SIRET of another as supann has it", foreign({"supannEtablissement": [f"{{SIRET}}{B}"]})),
    uncontrolled("XS15.56", "an address of another, percent-encoded", foreign({"upn": ["x%40departement.example"]})),
    uncontrolled(
        "XS15.57", "that before one of its own", foreign({MAIL: ["x%40departement.example@metropole.example"]})
    ),
)
