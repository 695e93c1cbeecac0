"""Nobody can say who they are: no forged header or cookie ever reaches an application."""

from tests.browser_like import Response
from tests.raw_http import Header
from tests.smoke.pages import received
from tests.smoke.world import PERMIS_HOST, World

MARK = "forged-by-a-client"

SPELLINGS = (
    "X-Remote-User", "x-remote-user", "X-REMOTE-USER", "x_remote_user", "X_Remote_User", "X_REMOTE_USER",
    "X.Remote.User", "X-Remote_User", "X-Remote.User", "X--Remote--User", "XRemoteUser", "X-Remote-User-",
    "X!Remote!User", "ctln", "CTLN", "c-t-l-n", "FrEduRne", "FR_EDU_RNE", "Fr-Edu-Rne",
    "Auth-User", "AUTH_USER", "Remote-User", "REMOTE_USER", "X-Forwarded-User", "X-Auth-Request-User",
)  # fmt: skip
FORGED: tuple[Header, ...] = tuple((name, MARK) for name in SPELLINGS)


def shows_nothing_forged(page: Response) -> None:
    assert MARK not in page.text, f"{page.url} shows a forged value"
    assert MARK.encode().hex() not in page.text, f"{page.url} shows a forged value"


async def test_forged_headers_are_not_shown_on_a_public_page_to_nobody(world: World) -> None:
    page = await world.person().open(world.permis("/public/"), FORGED)
    assert page.status == 200
    assert "Personne" in page.text
    assert "HTTP_HOST" in received(page)
    shows_nothing_forged(page)


async def test_forged_headers_are_not_shown_on_a_public_page_to_a_person(world: World) -> None:
    person, _ = await world.signed_in("paul")
    page = await person.open(world.permis("/public/"), FORGED)
    assert page.status == 200
    assert received(page).get("HTTP_X_REMOTE_USER", b"paul") == b"paul"
    shows_nothing_forged(page)


async def test_forged_headers_are_not_shown_on_a_private_page_to_a_person(world: World) -> None:
    person, _ = await world.signed_in("paul")
    page = await person.open(world.permis("/dossiers"), FORGED)
    assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"
    shows_nothing_forged(page)


async def test_forged_headers_open_no_private_page(world: World) -> None:
    person = world.person()
    first = await person.step("GET", world.permis("/dossiers"), FORGED)
    assert first.status == 303
    page = await person.follow(first)
    assert page.origin == world.portal("")
    shows_nothing_forged(page)
    assert (await person.step("OPTIONS", world.permis("/dossiers"), FORGED, kind="script")).status == 401


async def test_forged_headers_do_not_stand_in_for_a_missing_attribute(world: World) -> None:
    person, _ = await world.signed_in("maire")
    page = await person.open(world.permis("/"), [("FrEduRne", MARK), ("FR_EDU_RNE", MARK)])
    assert "HTTP_FREDURNE" not in received(page)
    shows_nothing_forged(page)


async def test_each_spelling_alone_is_dropped(world: World) -> None:
    person, _ = await world.signed_in("paul")
    for name in SPELLINGS:
        for target in ("/public/", "/"):
            page = await person.step("GET", world.permis(target), [(name, MARK)])
            assert page.status == 200, f"{name}: {page.status}"
            assert "HTTP_HOST" in received(page)
            shows_nothing_forged(page)


async def test_a_connection_header_removes_nothing_that_we_write(world: World) -> None:
    person, _ = await world.signed_in("paul")
    page = await person.step("GET", world.permis("/"), [("Connection", "close, X-Remote-User, Cookie")])
    assert received(page)["HTTP_X_REMOTE_USER"] == b"paul"


async def test_a_forged_cookie_of_the_application_is_dropped(world: World) -> None:
    person = world.person()
    names = ("CTSESSION", "ctsession", '"CTSESSION"', "CT.SESSION", "theme")
    page = await person.open(world.subventions("/public/"), [("Cookie", f"{name}={MARK}") for name in names[:1]])
    assert "fermée" in page.text
    shows_nothing_forged(page)
    line = "; ".join(f"{name}={MARK}" for name in names[1:-1]) + f"; {names[-1]}=dark"
    page = await person.open(world.subventions("/public/"), [("Cookie", line)])
    assert received(page)["HTTP_COOKIE"] == b"theme=dark"


async def test_a_forged_client_address_is_not_believed(world: World) -> None:
    person, _ = await world.signed_in("paul")
    forged = [("X-Forwarded-For", MARK), ("X-Forwarded-Host", MARK), ("Forwarded", f"for={MARK}"), ("X-Real-IP", MARK)]
    page = await person.open(world.permis("/"), forged)
    values = received(page)
    assert values["HTTP_X_FORWARDED_FOR"] == b"127.0.0.1"
    assert values["HTTP_X_FORWARDED_PROTO"] == b"http"
    assert values["HTTP_X_FORWARDED_HOST"].decode() == world.permis("").removeprefix("http://")
    shows_nothing_forged(page)


async def test_a_request_id_is_ours(world: World) -> None:
    page = await world.person().open(world.permis("/public/"), [("X-Request-Id", MARK)])
    assert len(received(page)["HTTP_X_REQUEST_ID"]) >= 16
    shows_nothing_forged(page)


async def test_our_own_cookies_never_reach_the_application(world: World) -> None:
    person, _ = await world.signed_in("paul")
    person.jar.put(PERMIS_HOST, "theme", "dark")
    for target in ("/", "/public/"):
        page = await person.open(world.permis(target))
        assert b"Cookie: " in page.sent
        assert b"__Host-ecluse=" in page.sent
        assert received(page)["HTTP_COOKIE"] == b"theme=dark"


async def test_an_applications_cookie_of_our_name_never_reaches_the_browser(world: World) -> None:
    person = world.person()
    page = await person.step("GET", world.permis("/public/cookies"))
    assert page.status == 200
    assert page.all("Set-Cookie") == ["PERMIS=a-elle; Path=/"]
    again = await person.open(world.permis("/public/"))
    assert received(again)["HTTP_COOKIE"] == b"PERMIS=a-elle"
