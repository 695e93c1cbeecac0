"""XS19, CS02: only the provider's own signed word ends a session of a person of its, of before it was said."""

import base64
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlencode

from lxml import etree

from gateway.model.assertion import NameId
from gateway.saml.bindings import redirect_url
from gateway.saml.own_messages import logout_request, logout_response
from gateway.saml.parties import KeyPair, ServiceProvider
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from tests.attacks import saml_providers as idps
from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.saml_browser import is_signed_in, scene_of, signed_in
from tests.attacks.world import World
from tests.browser_like import Person, Response
from tests.saml.forging import saying

NAME, OTHER = idps.name_with(), idps.name_with(encrypted=True)
# What a case is given: the world and whom it is about. What it answers: what the stranger's browser saw.
Send = Callable[[World, str], "object"]


def _as(entity: str, key: KeyPair) -> ServiceProvider:
    """A provider writes its messages as we do ours."""
    return ServiceProvider(entity, "", "", "", "", (key,))


def message(
    world: World, who: str, *, name: str = NAME, ago: float = 0, to: str = "logout", indexes: tuple[str, ...] = ()
) -> bytes:
    return logout_request(
        _as(idps.entity_of(name), idps.KEY),
        destination=world.portal(f"/_ecluse/saml/{to}"),
        id=f"_{secrets.token_hex(16)}",
        now=time.time() - ago,
        name_id=NameId(who, "urn:oasis:names:tc:SAML:2.0:nameid-format:transient", idps.entity_of(name)),
        session_indexes=indexes,
    )


def signed_url(world: World, document: bytes, key: KeyPair = idps.KEY, parameter: str = "SAMLRequest") -> str:
    location = world.portal("/_ecluse/saml/logout")
    return redirect_url(key, location, parameter, document, relay_state="back")  # type: ignore[arg-type]


async def by_redirect(url: str) -> Response:
    person = Person("en")
    page = await person.step("GET", url, initiator=f"{idps.IDP}/slo")
    await person.close()
    return page


async def by_post(world: World, document: bytes, parameter: str = "SAMLRequest") -> Response:
    person = Person("en")
    body = urlencode({parameter: base64.b64encode(document).decode()})
    page = await person.post(world.portal("/_ecluse/saml/logout"), body, initiator=f"{idps.IDP}/slo")
    await person.close()
    return page


async def by_soap(world: World, document: bytes, header: bytes = b"") -> Response:
    person = Person("en")
    headers = [("Content-Type", "text/xml; charset=utf-8")]
    envelope = in_envelope(document).replace(b"<soap:Body>", header + b"<soap:Body>")
    page = await person.step("POST", world.portal("/_ecluse/saml/soap"), headers, body=envelope)
    await person.close()
    return page


def refused(send: Callable[[World, str], object], code: str) -> Run:
    """A refusal with one line in the log, and the person is signed in as before."""

    async def run(world: World) -> None:
        who = secrets.token_hex(8)
        person, mark = await signed_in(world, NAME, who), world.gateway.mark()
        page: Response = await send(world, who)  # type: ignore[misc]
        expect(page.status >= 400, f"not refused: {page.status}")
        await world.logged(mark, event="logout.refused", code=code)
        expect(await is_signed_in(world, NAME, person), "the session was ended")
        await person.close()

    return run


def without_effect(send: Callable[[World, str], object]) -> Run:
    """The provider's own word, but about nobody who is signed in by it."""

    async def run(world: World) -> None:
        who = secrets.token_hex(8)
        person = await signed_in(world, NAME, who)
        await send(world, who)  # type: ignore[misc]
        expect(await is_signed_in(world, NAME, person), "the session was ended")
        await person.close()

    return run


def ends(send: Callable[[World, str], object]) -> Run:
    async def run(world: World) -> None:
        who = secrets.token_hex(8)
        person = await signed_in(world, NAME, who)
        await send(world, who)  # type: ignore[misc]
        expect(not await is_signed_in(world, NAME, person), "the control: the session goes on")
        await person.close()

    return run


def kept(ago: float) -> Send:
    """A request of the past that somebody has kept, brought twice."""

    async def send(world: World, who: str) -> Response:
        url = signed_url(world, message(world, who, ago=ago))
        await by_redirect(url)
        return await by_redirect(url)

    return send


async def wrapping_an_assertion(world: World, who: str) -> Response:
    """K141: what is signed in it is an assertion that the provider made for another purpose."""
    root = etree.fromstring(message(world, who))
    donor = etree.fromstring(saying(name_id=who)(scene_of(world, NAME, "_r")))
    extensions = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    extensions.append(donor.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"))  # type: ignore[arg-type]
    root.insert(1, extensions)
    return await by_post(world, etree.tostring(root))


async def under_a_borrowed_signature(world: World, who: str) -> Response:
    root = etree.fromstring(message(world, who))
    donor = etree.fromstring(sign_enveloped(idps.KEY, message(world, "nobody")))
    root.insert(1, donor[1])
    return await by_post(world, etree.tostring(root))


def answer(world: World) -> bytes:
    return logout_response(
        _as(idps.entity_of(NAME), idps.KEY), destination=world.portal("/_ecluse/saml/logout"), id="_a",
        now=time.time(), in_response_to="_nothing",
    )  # fmt: skip


def unsigned_url(world: World, who: str) -> str:
    return signed_url(world, message(world, who)).partition("&SigAlg")[0]


def altered_url(world: World, who: str) -> str:
    return signed_url(world, message(world, who)).replace("RelayState=back", "RelayState=away")


def for_nobody(request: bytes, destination: str | None = None) -> bytes:
    root = etree.fromstring(request)
    del root.attrib["Destination"]
    if destination is not None:
        root.set("Destination", destination)
    return etree.tostring(root)


S = idps.STRANGER
MUST = b"<soap:Header><h xmlns='urn:h' soap:mustUnderstand='true'/></soap:Header>"
XS19: tuple[tuple[str, Run], ...] = (
    ("the control: a request by redirect", ends(lambda w, who: by_redirect(signed_url(w, message(w, who))))),
    ("the control: by POST", ends(lambda w, who: by_post(w, sign_enveloped(idps.KEY, message(w, who))))),
    ("the control: over SOAP", ends(lambda w, who: by_soap(w, sign_enveloped(idps.KEY, message(w, who, to="soap"))))),
    ("unsigned by redirect", refused(lambda w, who: by_redirect(unsigned_url(w, who)), "saml.binding.signature")),
    ("unsigned by POST", refused(lambda w, who: by_post(w, message(w, who)), "saml.signature.missing")),
    ("unsigned over SOAP",
     refused(lambda w, who: by_soap(w, message(w, who, to="soap")), "saml.signature.missing")),
    ("a stranger's by redirect",
     refused(lambda w, who: by_redirect(signed_url(w, message(w, who), S)), "saml.binding.signature")),
    ("a stranger's by POST",
     refused(lambda w, who: by_post(w, sign_enveloped(S, message(w, who))), "saml.signature")),
    ("a stranger's over SOAP",
     refused(lambda w, who: by_soap(w, sign_enveloped(S, message(w, who, to="soap"))), "saml.signature")),
    ("with another RelayState than was signed",
     refused(lambda w, who: by_redirect(altered_url(w, who)), "saml.binding.signature")),
    ("of a provider that we do not know",
     refused(lambda w, who: by_redirect(signed_url(w, message(w, who, name="unknown"))), "login.unknown_provider")),
    ("an old one", without_effect(kept(900))),
    ("one by a clock that is ahead", ends(lambda w, who: by_redirect(signed_url(w, message(w, who, ago=-900))))),
    ("for another of our addresses",
     refused(lambda w, who: by_redirect(signed_url(w, message(w, who, to="acs"))), "saml.destination")),
    ("one that was used before the sign-in", without_effect(kept(5))),
    ("around a captured assertion (K141)", refused(wrapping_an_assertion, "saml.shape")),
    ("under the signature of another request", refused(under_a_borrowed_signature, "saml.signature.form")),
    ("an answer where nothing was asked",
     without_effect(lambda w, who: by_redirect(signed_url(w, answer(w), parameter="SAMLResponse")))),
    ("a request as an answer", without_effect(
        lambda w, who: by_redirect(signed_url(w, message(w, who), parameter="SAMLResponse")))),
    ("of another provider, about a namesake",
     without_effect(lambda w, who: by_redirect(signed_url(w, message(w, who, name=OTHER))))),
    ("about somebody else", without_effect(lambda w, who: by_redirect(signed_url(w, message(w, f"{who}x"))))),
    ("about somebody else's session of the same index (CS02)",
     without_effect(lambda w, who: by_redirect(signed_url(w, message(w, f"{who}x", indexes=("_session-1",)))))),
    ("about another session of theirs",
     without_effect(lambda w, who: by_redirect(signed_url(w, message(w, who, indexes=("_session-9",)))))),
    # Another service of the same provider sends on what it was sent
    ("over SOAP, for nobody in particular",
     refused(lambda w, who: by_soap(w, sign_enveloped(idps.KEY, for_nobody(message(w, who)))), "saml.destination")),
    ("over SOAP, for another service",
     refused(lambda w, who: by_soap(w, sign_enveloped(idps.KEY, for_nobody(message(w, who), "https://other.example"))),
             "saml.destination")),
    ("over SOAP, with a header that must be understood",
     refused(lambda w, who: by_soap(w, sign_enveloped(idps.KEY, message(w, who, to="soap")), MUST), "saml.soap")),
)  # fmt: skip

CASES: tuple[Case, ...] = tuple(
    uncontrolled(f"XS19.{number}", f"logout: {meaning}", run) for number, (meaning, run) in enumerate(XS19, 1)
)
