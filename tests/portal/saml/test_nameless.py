"""A provider that sends no NameID, as AD FS does until it is told to: people are known by an attribute, if by any."""

from gateway.saml.names import saml
from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS, PORTAL
from tests.portal.saml.region import Region
from tests.saml.idp import assertion, build, sign, written

SIGN_OUT = [("Sec-Fetch-Site", "same-origin")]


async def nameless(region: Region, person: Person, mail: str = "a@region.example") -> Response:
    asked = await region.asked(person)
    root = build(region.scene(asked, mail=mail), "adfs")
    subject = next(root.iter(saml("Subject")))
    subject.remove(subject[0])
    scene = region.scene(asked)
    sign(assertion(root), scene.key)
    return await person.follow(await region.answer(person, written(root), asked.relay_state))


def known_by_mail(region: Region) -> None:
    names = ("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",)
    region.change(attributes={"uid": names, "mail": names}, subject_without_name_id="mail")


async def test_they_are_refused_where_the_file_names_no_attribute(region: Region) -> None:
    person = region.person()
    assert (await nameless(region, person)).status == 403
    assert region.here.codes() == ["saml.subject"]


async def test_they_sign_in_by_the_attribute_that_it_names(region: Region) -> None:
    known_by_mail(region)
    person = region.person()
    page = await nameless(region, person)
    assert page.url.endswith("/dossier?id=7")
    told = (await person.step("GET", region.here.url(PERMIS, "/_ecluse/session"))).json()
    assert told["headers"]["X-Remote-User"] == "a@region.example"


async def test_who_has_not_even_that_is_nobody(region: Region) -> None:
    known_by_mail(region)
    assert (await nameless(region, region.person(), mail="")).status == 403
    assert region.here.codes() == ["login.mapping"]


async def test_they_sign_out_here_and_the_page_says_no_more_than_that(region: Region) -> None:
    """Core 3.7.1: a LogoutRequest names somebody, and there is no name to tell the provider."""
    known_by_mail(region)
    person = region.person()
    await nameless(region, person)
    page = await person.post(region.here.url(PORTAL, "/_ecluse/logout"), "", headers=SIGN_OUT)
    assert (page.status, page.location) == (200, "")
    assert not page.forms()
    assert (await person.script(region.here.url(PERMIS, "/_ecluse/session"))).status == 401
