"""Signing in: there, back to the page asked for, and what the application is then told."""

import asyncio
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

from tests.smoke.pages import received
from tests.smoke.world import PERMIS_HOST, SEAT, SUBVENTIONS_HOST, World

ASKED = "/dossiers?annee=2024&nom=L%C3%A9a&vide="


async def test_an_anonymous_navigation_ends_on_the_sign_in_page_of_the_provider(world: World) -> None:
    person = world.person()
    page = await world.to_provider(person, "helene", world.permis(ASKED))
    assert page.status == 200
    assert "Connexion de la métropole" in page.text
    query = parse_qs(urlsplit(page.url).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [world.portal("/_ecluse/callback/metropole")]
    assert all(len(query[name][0]) >= 22 for name in ("state", "nonce", "code_challenge"))


async def test_the_person_comes_back_to_the_page_asked_for_with_its_query(world: World) -> None:
    _, page = await world.signed_in("helene", world.permis(ASKED))
    assert page.url == world.permis(ASKED)
    assert received(page)["REQUEST_URI"] == ASKED.encode()


async def test_the_php_application_prints_the_injected_header(world: World) -> None:
    _, page = await world.signed_in("helene")
    assert page.status == 200
    assert received(page)["HTTP_X_REMOTE_USER"] == b"helene"
    assert "Bonjour helene." in page.text


async def test_an_accented_name_reaches_php_as_latin_1_bytes(world: World) -> None:
    _, page = await world.signed_in("helene")
    assert received(page)["HTTP_CTLN"] == "Leboeuf-Müller".encode("latin-1")


async def test_several_values_of_an_attribute_are_joined(world: World) -> None:
    _, page = await world.signed_in("helene")
    assert received(page)["HTTP_FREDURNE"] == b"0590001A,0590002B"


async def test_an_attribute_that_the_provider_did_not_send_is_no_header_at_all(world: World) -> None:
    _, page = await world.signed_in("maire")
    values = received(page)
    assert values["HTTP_X_REMOTE_USER"] == b"maire"
    assert "HTTP_FREDURNE" not in values


async def test_an_application_is_told_no_more_than_its_file_lists(world: World) -> None:
    _, page = await world.signed_in("helene")
    assert "helene@metropole.example" not in page.text
    assert "administrateurs" not in page.text.replace("réservée aux administrateurs", "")
    assert not [name for name in received(page) if "MAIL" in name or "GROUP" in name or "TOKEN" in name]


async def test_the_second_application_receives_its_own_headers_and_cookie(world: World) -> None:
    _, page = await world.signed_in("helene", world.subventions("/"))
    values = received(page)
    assert values["HTTP_AUTH_USER"] == b"helene"
    assert values["HTTP_AUTH_MAIL"] == b"helene@metropole.example"
    groups = [b64decode(group).decode() for group in values["HTTP_AUTH_GROUPS"].split(b";")]
    assert groups == ["ONDE", "administrateurs"]
    assert values["HTTP_COOKIE"] == b"CTSESSION=present"
    assert "HTTP_X_REMOTE_USER" not in values


async def test_the_second_application_needs_no_second_sign_in(world: World) -> None:
    person, _ = await world.signed_in("helene")
    page = await person.open(world.subventions("/demandes"))
    assert page.url == world.subventions("/demandes")
    assert received(page)["HTTP_AUTH_USER"] == b"helene"
    visited = {step.origin for step in page.history}
    assert visited == {world.subventions(""), world.portal("")}, f"went by {visited}"


async def test_each_host_has_its_own_cookie(world: World) -> None:
    person, _ = await world.signed_in("helene")
    await person.open(world.subventions())
    seats = [person.jar.get(host, SEAT) for host in (PERMIS_HOST, SUBVENTIONS_HOST, "portail.localhost")]
    assert None not in seats
    assert len(set(seats)) == 3
    assert person.jar.refused == []


async def test_every_cookie_of_ours_is_host_only_secure_and_hidden_from_scripts(world: World) -> None:
    person, _ = await world.signed_in("helene")
    set_cookies = person.jar.received
    # The binding and the seat of each of the two hosts; a binding may come with a twin.
    assert len(set_cookies) >= 4, set_cookies
    for line in set_cookies:
        assert line.startswith("__Host-ecluse"), line
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(line.split("; ")), line
        assert "Domain" not in line, line


async def test_a_planted_session_cookie_is_not_carried_on(world: World) -> None:
    person = world.person()
    planted = "A" * 22 + "." + "B" * 43
    for host in (PERMIS_HOST, "portail.localhost"):
        person.jar.put(host, SEAT, planted)
    page = await world.sign_in(person, "paul", world.permis())
    assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"
    for host in (PERMIS_HOST, "portail.localhost"):
        seat = person.jar.get(host, SEAT)
        assert seat is not None
        assert seat.partition(".")[0] != "A" * 22


async def test_signing_in_again_gives_a_new_session_id(world: World) -> None:
    person, _ = await world.signed_in("paul")
    before = person.jar.get("portail.localhost", SEAT)
    person.jar.forget(PERMIS_HOST, SEAT)
    link = world.portal("/_ecluse/login?provider=metropole")
    page = await person.follow(await person.step("GET", link))
    await person.follow(await world.choose(person, page, "paul"))
    after = person.jar.get("portail.localhost", SEAT)
    assert before is not None
    assert after is not None
    assert before.partition(".")[0] != after.partition(".")[0]


async def test_a_choice_of_providers_is_a_plain_page_in_french_and_english(world: World) -> None:
    french = await world.person("fr").open(world.permis())
    english = await world.person("en-GB,en;q=0.9").open(world.permis())
    assert "Métropole du Nord" in french.text
    assert '<html lang="fr">' in french.text
    assert "Northern Metropolis" in english.text
    assert '<html lang="en">' in english.text
    assert len(french.links()) >= 2
    assert "<script" not in french.text


async def test_ten_tabs_sign_in_at_once(world: World) -> None:
    person = world.person()
    targets = [f"/onglet/{number}?n={number}" for number in range(10)]
    pages = await asyncio.gather(*(world.to_provider(person, "paul", world.permis(target)) for target in targets))
    answers = [await world.choose(person, page, "paul") for page in pages]
    ended = await asyncio.gather(*map(person.follow, answers))
    assert [page.url for page in ended] == [world.permis(target) for target in targets]


async def test_a_person_whom_the_provider_may_not_vouch_for_is_refused(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    page = await world.sign_in(person, "intrus", world.permis())
    assert page.status == 403
    assert page.origin == world.portal("")
    assert person.jar.get("portail.localhost", SEAT) is None
    line = await world.gateway.logged(mark, event="login.refused", code="login.outside_perimeter")
    assert str(line["reference"]) in page.text


async def test_a_person_who_refuses_at_the_provider_is_told_so(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    asked = await world.to_provider(person, "paul", world.permis())
    page = await person.submit(asked, asked.forms()[0], [("account", "")])
    assert page.status == 403
    assert world.permis("/_ecluse/login?to=/") in page.links(), "no way back"
    await world.gateway.logged(mark, event="login.refused", code="login.provider_refused")


async def test_a_session_page_shows_what_the_application_receives(world: World) -> None:
    person, _ = await world.signed_in("helene")
    told = (await person.script(world.permis("/_ecluse/session"))).text
    assert '"X-Remote-User":"helene"' in told
    assert "Leboeuf-Müller" in told
    assert "mail" not in told
    stranger = await world.person().script(world.permis("/_ecluse/session"))
    assert stranger.status == 401
