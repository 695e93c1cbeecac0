"""Sessions and the hand-over: each thing works once, in its own browser, on its own host; logout ends all."""

from urllib.parse import parse_qs, urlencode, urlsplit

from deploy.demo.stack import PORTAL_HOST
from tests.browser_like import Person, Response
from tests.smoke.pages import received
from tests.smoke.world import PERMIS_HOST, SEAT, SUBVENTIONS_HOST, World

CALLBACK = "/_ecluse/callback/"
ENTER = "/_ecluse/enter"


async def to_callback(world: World, person: Person, login: str = "paul") -> str:
    """The provider has answered; the callback's URL, not yet asked for."""
    page = await world.to_provider(person, login, world.permis("/dossier?a=b"))
    return (await world.choose(person, page, login)).location


async def to_enter(world: World, person: Person, login: str = "paul") -> str:
    """The portal has given its code; the URL on the application's host, not yet asked for."""
    callback = await person.step("GET", await to_callback(world, person, login))
    return (await world.stop_before(person, callback, ENTER)).location


def got_no_seat(person: Person, host: str = PERMIS_HOST) -> None:
    assert person.jar.get(host, SEAT) is None, f"there is a seat on {host}"


def changed(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(query)).geturl()


# --- the provider's answer ---


async def test_a_replayed_callback_signs_nobody_in(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    callback = await to_callback(world, person)
    await person.follow(await person.step("GET", callback))
    seat = person.jar.get(PORTAL_HOST, SEAT)
    again = await person.step("GET", callback)
    assert again.status == 400
    assert again.all("Set-Cookie") == []
    assert person.jar.get(PORTAL_HOST, SEAT) == seat
    stranger = world.person()
    stolen = await stranger.step("GET", callback)
    assert stolen.status == 400
    assert "<h1>" in stolen.text
    got_no_seat(stranger, PORTAL_HOST)
    await world.gateway.logged(mark, code="login.transaction_gone")


async def test_a_callback_in_another_browser_signs_nobody_in(world: World) -> None:
    mark = world.gateway.mark()
    owner, thief = world.person(), world.person()
    callback = await to_callback(world, owner)
    await world.to_provider(thief, "paul", world.permis())
    page = await thief.step("GET", callback)
    assert page.status == 400
    got_no_seat(thief, PORTAL_HOST)
    await world.gateway.logged(mark, event="login.refused", code="login.other_browser")
    assert (await owner.step("GET", callback)).status == 400, "it was used up, and yet works"
    got_no_seat(owner, PORTAL_HOST)


async def test_a_state_that_nobody_gave_out_is_refused(world: World) -> None:
    person = world.person()
    callback = await to_callback(world, person)
    page = await person.step("GET", changed(callback, state="A" * 43))
    assert page.status == 400
    got_no_seat(person, PORTAL_HOST)


async def test_a_code_at_the_callback_of_another_provider_goes_nowhere(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    callback = await to_callback(world, person)
    page = await person.step("GET", callback.replace("callback/metropole", "callback/departement"))
    assert page.status == 400
    got_no_seat(person, PORTAL_HOST)
    await world.gateway.logged(mark, event="login.refused", code="login.other_provider")


async def test_an_answer_that_names_another_issuer_is_refused(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    callback = await to_callback(world, person)
    page = await person.step("GET", changed(callback, iss=world.demo.issuer("departement")))
    assert page.status in (400, 403)
    got_no_seat(person, PORTAL_HOST)
    line = await world.gateway.logged(mark, event="login.refused", provider="metropole")
    assert str(line["code"]).startswith(("oidc.", "login."))


async def test_a_made_up_code_is_refused(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    callback = await to_callback(world, person)
    page = await person.step("GET", changed(callback, code="made-up"))
    assert page.status in (400, 403, 502)
    assert "Référence" in page.text
    got_no_seat(person, PORTAL_HOST)
    await world.gateway.logged(mark, event="login.refused", provider="metropole")


# --- the hand-over ---


async def test_a_hand_over_code_used_twice_gives_one_seat(world: World) -> None:
    person = world.person()
    enter = await to_enter(world, person)
    first = await person.step("GET", enter)
    assert first.location == world.permis("/dossier?a=b")
    seat = person.jar.get(PERMIS_HOST, SEAT)
    again = await person.step("GET", enter)
    assert again.location == world.permis("/")
    assert again.all("Set-Cookie") == []
    assert person.jar.get(PERMIS_HOST, SEAT) == seat


async def test_a_hand_over_code_in_another_browser_is_refused_and_burnt(world: World) -> None:
    mark = world.gateway.mark()
    owner, thief = world.person(), world.person()
    enter = await to_enter(world, owner)
    await thief.open(world.permis())
    page = await thief.step("GET", enter)
    assert page.status == 400
    got_no_seat(thief)
    await world.gateway.logged(mark, event="handover.refused", code="handover.other_browser")
    await owner.step("GET", enter)
    got_no_seat(owner)


async def test_a_hand_over_code_on_another_host_is_refused_and_burnt(world: World) -> None:
    mark = world.gateway.mark()
    person = world.person()
    enter = await to_enter(world, person)
    page = await person.step("GET", enter.replace(PERMIS_HOST, SUBVENTIONS_HOST))
    assert page.status == 400
    got_no_seat(person, SUBVENTIONS_HOST)
    await world.gateway.logged(mark, event="handover.refused", code="handover.other_host")
    await person.step("GET", enter)
    got_no_seat(person)


async def test_a_transaction_finished_by_another_person_gives_neither_a_wrong_session(world: World) -> None:
    """Somebody is lured into finishing, in their own browser, what an attacker has begun, or the other way round."""
    victim, _ = await world.signed_in("helene", world.subventions())
    attacker = world.person()
    begun = await attacker.step("GET", world.permis("/"))
    lured = await victim.follow(await victim.step("GET", begun.location))
    assert lured.status == 400, f"{lured.status} {lured.url}"
    got_no_seat(victim)
    page = await attacker.follow(begun)
    assert "Bonjour" not in page.text
    got_no_seat(attacker)


async def test_the_cookie_of_one_application_copied_to_another_is_refused(world: World) -> None:
    person, _ = await world.signed_in("helene")
    seat = person.jar.get(PERMIS_HOST, SEAT)
    assert seat is not None
    thief = world.person()
    for host, url in ((SUBVENTIONS_HOST, world.subventions()), (PORTAL_HOST, world.portal("/_ecluse/sessions"))):
        thief.jar.put(host, SEAT, seat)
        page = await thief.script(url)
        assert page.status == 401, f"{host}: {page.status}"


async def test_a_changed_cookie_is_nobodys(world: World) -> None:
    person, _ = await world.signed_in("paul")
    seat = person.jar.get(PERMIS_HOST, SEAT) or ""
    id, _, secret = seat.partition(".")
    other = "B" if secret[5] != "B" else "C"
    for value in (f"{id}.{secret[:5]}{other}{secret[6:]}", f"{id[::-1]}.{secret}", id, f"{seat}.x", seat + "A"):
        thief = world.person()
        thief.jar.put(PERMIS_HOST, SEAT, value)
        assert (await thief.script(world.permis())).status == 401, value


async def test_two_cookies_of_ours_are_refused(world: World) -> None:
    person, _ = await world.signed_in("paul")
    seat = person.jar.get(PERMIS_HOST, SEAT) or ""
    page = await world.person().open(world.permis(), [("Cookie", f"{SEAT}={seat}; {SEAT}={seat[::-1]}")])
    assert page.status == 400


# --- signing out ---


async def test_logout_on_one_application_ends_both(world: World) -> None:
    person, _ = await world.signed_in("helene")
    await person.open(world.subventions())
    thief = world.person()
    for host in (PERMIS_HOST, SUBVENTIONS_HOST):
        thief.jar.put(host, SEAT, person.jar.get(host, SEAT) or "")
    assert (await thief.script(world.permis())).status == 200
    form = await person.open(world.permis("/_ecluse/logout"))
    page = await person.submit(form, form.forms()[0])
    assert page.status == 200
    assert page.location == ""
    # At once and in every worker: new connections meet one or the other.
    for _ in range(4):
        for url in (world.permis(), world.subventions()):
            assert (await thief.script(url)).status == 401, f"{url} still lets in"
        await thief.close()
    back = await person.open(world.permis())
    assert back.origin == world.portal(""), "signed in again without being asked"


async def test_logout_needs_a_form_of_our_own(world: World) -> None:
    mark = world.gateway.mark()
    person, _ = await world.signed_in("paul")
    await person.open(world.permis("/_ecluse/logout"))
    foreign = await person.post(world.permis("/_ecluse/logout"), "", initiator="http://evil.localhost:1/")
    assert foreign.status == 403
    # As if the browser had no SameSite: the origin alone must do.
    cookie = f"{SEAT}={person.jar.get(PERMIS_HOST, SEAT)}"
    headers = [("Cookie", cookie), ("Origin", world.subventions("")), ("Sec-Fetch-Site", "cross-site")]
    assert (await world.person().step("POST", world.permis("/_ecluse/logout"), headers)).status == 403
    page = await person.open(world.permis())
    assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"
    await world.gateway.logged(mark, event="logout.refused", code="logout.cross_site")


# --- who cannot be sent to a sign-in page ---


async def test_a_script_gets_401_and_a_login_url_that_works(world: World) -> None:
    person = world.person()
    answer = await person.step(
        "GET", world.permis("/api/x?y=1"), [("Referer", world.permis("/liste?page=2"))], kind="script"
    )
    assert answer.status == 401
    assert answer.header("Content-Type").startswith("application/json")
    told = answer.json()
    assert told["error"] == "session.required"
    assert str(told["login_url"]).startswith(world.permis("/_ecluse/login?to="))
    page = await world.sign_in(person, "paul", str(told["login_url"]))
    assert page.url == world.permis("/liste?page=2")


async def test_a_frame_gets_a_small_page_that_opens_at_the_top(world: World) -> None:
    page = await world.person().frame(world.permis("/dossiers"))
    assert page.status == 401
    assert 'target="_top"' in page.text
    (link,) = (link for link in page.links() if "/_ecluse/login" in link)
    assert link == world.permis("/_ecluse/login?to=/dossiers")


async def test_a_prefetch_and_an_old_script_start_no_sign_in(world: World) -> None:
    person = world.person()
    prefetch = await person.step("GET", world.permis(), [("Sec-Purpose", "prefetch")])
    assert prefetch.status == 401
    plain = [("Sec-Fetch-Dest", ""), ("Accept", "text/html"), ("X-Requested-With", "XMLHttpRequest")]
    assert (await person.step("GET", world.permis(), plain)).status == 401
    assert person.jar.received == []


async def test_a_form_sent_without_a_session_ends_on_a_page_that_says_so(world: World) -> None:
    person, _ = await world.signed_in("paul")
    form = await person.open(world.permis("/depot"))
    person.jar.forget(PERMIS_HOST)
    headers = [("Referer", world.permis("/depot"))]
    page = await person.post(form.forms()[0].action, "parcelle=AB12", headers=headers)
    assert page.status == 401
    assert page.location == ""
    assert "formulaire" in page.text
    (link,) = (link for link in page.links() if "/_ecluse/login" in link)
    back = await person.open(link)
    assert back.url == world.permis("/depot")
    sent = await person.submit(back, back.forms()[0], [("parcelle", "AB12")])
    assert received(sent)["parcelle"] == b"AB12"


async def test_a_browser_that_keeps_no_cookies_does_not_go_round_for_ever(world: World) -> None:
    person, _ = await world.signed_in("paul")
    page: Response | None = None
    steps = 0
    url = world.permis("/")
    while steps < 40:
        person.jar.forget(PERMIS_HOST, SEAT)
        page = await person.step("GET", url)
        steps += 1
        if not page.location:
            break
        url = page.location
    assert page is not None
    assert page.status == 400, f"{steps} steps, then {page.status}"
    assert steps < 20


async def test_no_answer_of_ours_may_be_kept_or_framed(world: World) -> None:
    person = world.person()
    begun = await person.step("GET", world.permis("/"))
    chooser = await person.step("GET", begun.location)
    unknown = await person.step("GET", world.permis("/_ecluse/enter?code=x"))
    logout = await person.step("GET", world.permis("/_ecluse/logout"))
    for answer in (begun, chooser, unknown, logout):
        assert answer.header("Cache-Control") == "no-store", answer.url
        assert answer.header("Referrer-Policy") == "no-referrer", answer.url
        assert answer.header("X-Content-Type-Options") == "nosniff", answer.url
    for page in (chooser, logout):
        policy = page.header("Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


async def test_no_address_of_a_stranger_is_redirected_to(world: World) -> None:
    person, _ = await world.signed_in("paul")
    for to in (
        "//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/%0d%0aLocation:x",
        "javascript:x", "/_ecluse/logout", "/../..//evil.example",
    ):  # fmt: skip
        answer = await person.step("GET", world.permis("/_ecluse/login?" + urlencode({"to": to})))
        assert answer.location == world.permis("/"), f"{to} leads to {answer.location}"
