"""Who may pass where, and what a person who may not is told."""

from tests.smoke.pages import received
from tests.smoke.world import World

REFUSAL, IN_ENGLISH = "Réservé aux administrateurs", "For administrators alone"


async def test_a_refused_person_gets_403_with_a_reference_in_french(world: World) -> None:
    mark = world.gateway.mark()
    person, _ = await world.signed_in("paul")
    page = await person.open(world.permis("/admin/"))
    assert page.status == 403
    assert page.history == ()
    assert '<html lang="fr">' in page.text
    assert REFUSAL in page.text
    assert "Référence" in page.text
    line = await world.gateway.logged(mark, event="access.denied", app="permis")
    assert f"<code>{line['reference']}</code>" in page.text
    assert str(line["rule"]).startswith("policies/apps/permis.yaml:")


async def test_a_refused_person_gets_the_same_in_english(world: World) -> None:
    person, _ = await world.signed_in("paul")
    page = await person.step("GET", world.permis("/admin/"), [("Accept-Language", "en;q=0.9, fr;q=0.1")])
    assert page.status == 403
    assert '<html lang="en">' in page.text
    assert "Reference" in page.text
    assert (IN_ENGLISH in page.text, REFUSAL in page.text) == (True, False)


async def test_a_refused_script_gets_json(world: World) -> None:
    person, _ = await world.signed_in("paul")
    answer = await person.script(world.permis("/admin/x"))
    assert answer.status == 403
    told = answer.json()
    assert told["error"] == "policy.not_allowed"
    assert told["reference"]
    assert "login_url" not in told


async def test_a_group_opens_the_administration(world: World) -> None:
    person, page = await world.signed_in("helene", world.permis("/admin/"))
    assert page.status == 200
    assert "Administration" in page.text
    assert received(page)["HTTP_X_REMOTE_USER"] == b"helene"
    assert (await person.open(world.permis("/admin/comptes?x=1"))).status == 200


async def test_a_path_pattern_covers_the_folder_and_all_below(world: World) -> None:
    person, _ = await world.signed_in("paul")
    for target in ("/admin", "/admin/", "/admin/a/b/c", "/admin?x", "/admin/?x=/public/"):
        assert (await person.open(world.permis(target))).status == 403, target
    for target in ("/administration", "/public/admin/", "/dossiers/admin/"):
        assert (await person.open(world.permis(target))).status != 403, target


async def test_a_group_of_another_provider_opens_what_is_its_own(world: World) -> None:
    person, page = await world.signed_in("maire")
    assert page.status == 200
    assert (await person.open(world.permis("/admin/"))).status == 403


async def test_a_rule_for_one_method_does_not_lend_itself_to_another(world: World) -> None:
    paul, _ = await world.signed_in("paul", world.subventions("/comptes/"))
    url = world.subventions("/comptes/1")
    assert (await paul.open(url)).status == 200
    assert (await paul.step("HEAD", url)).status == 200
    assert (await paul.post(url, "a=b")).status == 403
    assert (await paul.step("PATCH", url, body=b"x")).status == 403
    helene, _ = await world.signed_in("helene", world.subventions())
    assert (await helene.post(url, "a=b")).status == 200
    assert (await helene.step("PATCH", url, body=b"x")).status == 403


async def test_a_public_page_needs_nobody_and_announces_nobody(world: World) -> None:
    person = world.person()
    page = await person.open(world.permis("/public/plan"))
    assert page.status == 200
    assert "HTTP_X_REMOTE_USER" not in received(page)
    assert person.jar.received == []


async def test_a_form_reaches_the_application_whole(world: World) -> None:
    person, _ = await world.signed_in("helene")
    form = await person.open(world.permis("/depot"))
    text = "AB 12 « Léa » " + "x" * 100_000
    page = await person.submit(form, form.forms()[0], [("parcelle", text)])
    assert received(page)["parcelle"] == text.encode()
