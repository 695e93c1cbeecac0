"""Applications of three ministries: what people of nine collectivités may do in them, and what they read otherwise."""

from deploy.demo import ldap_server
from tests.browser_like import Person, Response
from tests.smoke.world import World

ELECTIONS, SCHOOLS, OPINIONS = "elections.localhost", "ecoles.localhost", "avis.localhost"
EXPENSES = "frais.localhost"
# One of each collectivité, by the name of its account.
NINE = ("helene", "maire", "camille", "vera", "iris", "rose", "theo", "wael", "marc")


async def _at(world: World, login: str, host: str, path: str = "/") -> tuple[Person, Response]:
    return await world.signed_in(login, world.demo.origin(host) + path)


async def _sends(world: World, login: str, host: str) -> Response:
    """The form that stands on the application's first page."""
    person, page = await _at(world, login, host)
    (form,) = page.forms()
    return await person.post(form.action, "", initiator=page.url)


async def test_people_of_all_nine_open_the_electoral_rolls(world: World) -> None:
    for login in NINE:
        _, page = await _at(world, login, ELECTIONS)
        assert (page.status, f"Bonjour {login}." in page.text) == (200, True), login


async def test_help_is_read_without_an_account(world: World) -> None:
    page = await world.person().open(world.demo.origin(ELECTIONS) + "/aide/")
    assert (page.status, "Personne n’est annoncé." in page.text) == (200, True)


async def test_a_mayor_signs_the_roll(world: World) -> None:
    page = await _sends(world, "marc", ELECTIONS)
    assert (page.status, "C’est enregistré." in page.text) == (200, True)


async def test_a_deputy_does_not_and_reads_why(world: World) -> None:
    page = await _sends(world, "iris", ELECTIONS)
    assert (page.status, "Seule la personne élue maire signe la liste." in page.text) == (403, True)
    assert "Votre compte ne donne pas accès" not in page.text


async def test_a_mayor_whose_mandate_has_ended_signs_nothing(world: World) -> None:
    _, page = await _at(world, "gilles", ELECTIONS)
    assert page.status == 200
    mark = world.gateway.mark()
    page = await _sends(world, "gilles", ELECTIONS)
    assert (page.status, "Seule la personne élue maire signe la liste." in page.text) == (403, True)
    await world.gateway.logged(mark, code="policy.not_allowed")


async def test_an_english_reader_reads_it_in_english(world: World) -> None:
    person = world.person("en")
    page = await world.sign_in(person, "iris", world.demo.origin(ELECTIONS) + "/")
    (form,) = page.forms()
    assert "Only the mayor signs the roll." in (await person.post(form.action, "", initiator=page.url)).text


async def test_the_schools_are_told_for_which_commune_a_person_acts(world: World) -> None:
    _, page = await _at(world, "rose", SCHOOLS)
    assert (page.status, "l’organisation 21590512600011" in page.text) == (200, True)
    assert "Ses écoles\u00a0: 0590101W,0590102X." in page.text


async def test_a_commune_that_takes_no_part_is_let_into_no_school(world: World) -> None:
    for login in ("vera", "theo", "wael", "iris"):
        _, page = await _at(world, login, SCHOOLS)
        assert page.status == 403, login


async def test_the_team_of_the_metropolis_is_let_into_the_schools(world: World) -> None:
    assert (await _at(world, "paul", SCHOOLS))[1].status == 200


async def test_nobody_exports_the_children_from_elsewhere(world: World) -> None:
    person, _ = await _at(world, "rose", SCHOOLS)
    page = await person.step("GET", world.demo.origin(SCHOOLS) + "/export/classe?vue=impression")
    assert page.status == 403


async def test_an_application_that_does_not_list_a_provider_does_not_offer_it(world: World) -> None:
    page = await world.person().open(world.demo.origin(SCHOOLS) + "/")
    assert "provider=syndicat" in page.text
    assert "provider=departement" not in page.text


async def test_opinions_are_read_by_all_and_given_by_executives_and_instructors(world: World) -> None:
    for login in ("marc", "iris", "maire", "camille"):
        assert (await _sends(world, login, OPINIONS)).status == 200, login
    for login in ("rose", "paul"):
        assert (await _sends(world, login, OPINIONS)).status == 403, login


async def test_the_files_are_closed_to_who_has_left_who_reads_why(world: World) -> None:
    assert (await _at(world, "marc", OPINIONS, "/dossiers/7"))[1].status == 200
    _, page = await _at(world, "parti", OPINIONS, "/dossiers/7")
    assert (page.status, "Vous avez quitté cette collectivité" in page.text) == (403, True)
    assert "Utiliser un autre compte" in page.text


async def test_an_ldap_server_says_whose_account_is_whose(world: World) -> None:
    assert ldap_server.is_installed(), ldap_server.MISSING
    _, page = await _at(world, "helene", EXPENSES)
    assert (page.status, "A1042" in page.text) == (200, True)
    _, page = await _at(world, "paul", EXPENSES)
    assert (page.status, "Vous n’avez pas de compte dans cette application." in page.text) == (403, True)


async def test_one_sign_in_opens_the_applications_of_all_three(world: World) -> None:
    person, _ = await _at(world, "rose", ELECTIONS)
    for host in (SCHOOLS, OPINIONS):
        page = await person.follow(await person.step("GET", world.demo.origin(host) + "/"))
        assert (page.status, "Bonjour rose." in page.text) == (200, True), host


async def test_a_persons_own_page_lists_what_is_theirs(world: World) -> None:
    person, _ = await _at(world, "vera", ELECTIONS)
    page = await person.step("GET", world.portal("/"))
    assert "Listes électorales" in page.text
    assert "Avis sur les projets" in page.text
    assert "Inscriptions scolaires" not in page.text
