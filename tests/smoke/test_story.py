"""The story that the demo's first page tells, step by step, by the links that stand there."""

import aiohttp

from deploy.demo.story_text import ORGANISATIONS
from tests.browser_like import Person, Response
from tests.smoke.pages import received
from tests.smoke.world import World

ELECTIONS, OPINIONS, EXAMS, LOGBOOK = (
    "elections.localhost",
    "avis.localhost",
    "examens.localhost",
    "astreinte.localhost",
)
ROLL = "/listes/59343"


async def _told(world: World, language: str = "fr") -> Response:
    page = await world.person(language).open(world.demo.story + "/")
    assert page.status == 200
    return page


async def _mayor(world: World) -> tuple[Person, Response]:
    return await world.signed_in("marc", world.demo.origin(ELECTIONS) + "/")


async def _opinion(world: World, person: Person) -> Response:
    page = await person.open(world.demo.origin(OPINIONS) + "/dossiers/7/avis")
    (form,) = page.forms()
    return await person.post(form.action, "", initiator=page.url)


async def test_the_story_is_told_in_french_and_in_english(world: World) -> None:
    for language, title in (("fr", "Écluse en cinq minutes"), ("en", "Écluse in five minutes")):
        page = await _told(world, language)
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{title}</h1>" in page.text
        assert page.text.count("<li><strong>") == 8, "the steps"
        assert "$" not in page.text


async def test_each_of_its_links_leads_somewhere(world: World) -> None:
    for language in ("fr", "en"):
        for link in (await _told(world, language)).links():
            page = await world.person(language).open(link)
            assert page.status in {200, 401, 403}, f"{page.status} {link}"


async def test_it_says_who_the_people_are_and_of_which_nine(world: World) -> None:
    page = await _told(world)
    for organisation in ORGANISATIONS.values():
        assert f"<td>{organisation}</td>" in page.text, organisation


async def test_a_mayor_signs_in_by_a_provider_like_proconnect(world: World) -> None:
    mark = world.gateway.mark()
    _, page = await _mayor(world)
    assert (page.status, "Bonjour marc." in page.text) == (200, True)
    await world.gateway.logged(mark, event="login.succeeded", provider="proconnect")


async def test_the_mayor_is_refused_the_roll_and_reads_why(world: World) -> None:
    marc, _ = await _mayor(world)
    mark = world.gateway.mark()
    page = await marc.open(world.demo.origin(ELECTIONS) + ROLL)
    assert (page.status, "Cette liste s’ouvre aux services d’état civil" in page.text) == (403, True)
    line = await world.gateway.logged(mark, event="access.denied", app="elections")
    assert f"<code>{line['reference']}</code>" in page.text


async def test_the_mayor_steps_up_and_reads_the_proxies(world: World) -> None:
    marc, _ = await _mayor(world)
    url = world.demo.origin(ELECTIONS) + ROLL + "/procurations"
    page = await marc.open(url)
    assert "<h1>Une authentification plus forte est nécessaire</h1>" in page.text
    page = await marc.follow(await marc.step("GET", page.way_on(), initiator=page.url))
    assert page.origin == world.demo.issuer("proconnect")
    assert "Un second facteur est demandé" in page.text
    page = await marc.follow(await world.choose(marc, page, "marc"))
    assert (page.status, page.url, "Les procurations" in page.text) == (200, url, True)


async def test_no_step_up_is_offered_to_who_is_no_mayor(world: World) -> None:
    for login in ("gilles", "iris", "rose"):
        person, _ = await world.signed_in(login, world.demo.origin(ELECTIONS) + "/")
        page = await person.open(world.demo.origin(ELECTIONS) + ROLL + "/procurations")
        assert (page.status, page.way_on()) == (403, ""), login
        assert "Seule la personne élue maire lit les procurations." in page.text


async def test_the_application_got_a_name_and_nothing_else(world: World) -> None:
    _, page = await _mayor(world)
    values = {name: value for name, value in received(page).items() if b"marc" in value or b"lesquin" in value.lower()}
    assert values == {"HTTP_X_REMOTE_USER": b"marc"}


async def test_the_gateway_says_so_too(world: World) -> None:
    marc, _ = await _mayor(world)
    page = await marc.open(world.demo.origin(ELECTIONS) + "/_ecluse/session")
    assert (page.status, "marc" in page.text, "lesquin.example" in page.text) == (200, True, False)


async def test_the_logbook_carries_what_is_written_to_all(world: World) -> None:
    marc, page = await world.signed_in("marc", world.demo.origin(LOGBOOK) + "/")
    assert page.status == 200
    iris, _ = await world.signed_in("iris", world.demo.origin(LOGBOOK) + "/")
    async with aiohttp.ClientSession() as session:
        writer, reader = [
            await session.ws_connect(_thread(world), headers=_headers(world, one)) for one in (marc, iris)
        ]
        await writer.send_str("La digue tient.")
        while (line := await reader.receive_str(timeout=30)) != "marc : La digue tient.":
            assert "La digue" not in line, line
        await writer.close()
        await reader.close()


async def test_the_logbook_opens_for_nobody_else(world: World) -> None:
    rose, page = await world.signed_in("rose", world.demo.origin(LOGBOOK) + "/")
    assert (page.status, "La main courante s’ouvre aux exécutifs" in page.text) == (403, True)
    for person in (rose, world.person()):
        try:
            async with aiohttp.ClientSession() as session, session.ws_connect(
                _thread(world), headers=_headers(world, person)
            ):  # fmt: skip
                raise AssertionError("it was opened")
        except aiohttp.WSServerHandshakeError as refused:
            assert refused.status in {401, 403}  # noqa: PT017 - pytest is not here


def _thread(world: World) -> str:
    return f"ws://127.0.0.1:{world.demo.ports.public}/fil"


def _headers(world: World, person: Person) -> dict[str, str]:
    origin = world.demo.origin(LOGBOOK)
    cookies = person.jar.to_send(origin + "/fil", cross_site_post=False)
    return {"Host": origin.removeprefix("http://"), "Origin": origin, **({"Cookie": cookies} if cookies else {})}


async def test_nobody_sees_the_form_of_the_examination_centres(world: World) -> None:
    rose, page = await world.signed_in("rose", world.demo.origin(EXAMS) + "/")
    assert (page.status, "Bonjour rose." in page.text) == (200, True)
    assert "/connexion" not in {step.path for step in page.history}
    assert rose.jar.get(EXAMS, "EXAMENS") is None


async def test_the_examination_centres_are_closed_to_a_commune_that_has_none(world: World) -> None:
    _, page = await world.signed_in("iris", world.demo.origin(EXAMS) + "/")
    assert (page.status, "Les centres d’examen sont ceux de Roubaix" in page.text) == (403, True)


async def test_a_script_reads_opinions_by_rest(world: World) -> None:
    url = world.demo.origin(OPINIONS) + "/api/dossiers/7"
    answer = await world.person().script(url)
    assert (answer.status, "login_url" in answer.json()) == (401, True)
    theo, _ = await world.signed_in("theo", world.demo.origin(OPINIONS) + "/")
    answer = await theo.script(url)
    assert (answer.status, answer.json()) == (200, {"dossier": "7", "lu_par": "theo"})


async def test_no_program_writes_by_rest_what_no_rule_lets_it(world: World) -> None:
    theo, _ = await world.signed_in("theo", world.demo.origin(OPINIONS) + "/")
    answer = await theo.script(world.demo.origin(OPINIONS) + "/api/dossiers/7", "POST")
    assert (answer.status, answer.json()["error"]) == (403, "policy.method")


async def test_a_rule_is_changed_and_is_live(world: World) -> None:
    theo, _ = await world.signed_in("theo", world.demo.origin(OPINIONS) + "/")
    assert (await _opinion(world, theo)).status == 403
    reader = world.person()
    story = await reader.open(world.demo.story + "/")
    (form,) = story.forms()
    try:
        page = await reader.submit(story, form)
        assert page.status == 200
        assert "changed  apps/ecologie/avis.yaml" in page.text
        assert "live: revision" in page.text, page.text
        assert (await _opinion(world, theo)).status == 200
    finally:
        (form,) = (await reader.open(world.demo.story + "/")).forms()
        page = await reader.submit(story, form)
    assert "live: revision" in page.text
    assert (await _opinion(world, theo)).status == 403


async def test_the_form_of_another_site_changes_no_rule(world: World) -> None:
    before = world.read_policy("apps/ecologie/avis.yaml")
    answer = await world.person().post(world.demo.story + "/rule", "", initiator="http://elsewhere.localhost:1/")
    assert (answer.status, world.read_policy("apps/ecologie/avis.yaml")) == (403, before)


async def test_the_figures_count_the_sign_ins(world: World) -> None:
    await _mayor(world)
    page = await world.person().open(world.demo.story + "/figures")
    assert 'ecluse_auth_logins_total{provider="proconnect",' in page.text.replace("&quot;", '"'), page.text
