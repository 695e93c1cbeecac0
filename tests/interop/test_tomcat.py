"""Debian's Tomcat: what it maps a path to is what policy saw, or the answer is 400. Spring MVC runs in it."""

import random
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from gateway.wire.target import PathLeniency, canonical_target
from tests.browser_like import Person
from tests.interop.installation import App, Installation, direct, installed
from tests.interop.name_bytes import HEADERS, NAME, SENT
from tests.interop.servers import tomcat
from tests.walks.place import Place

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

_LINE = re.compile(r"([\w:-]+) ?(.*)")
REFUSED = "400"
TRANSLATE = (
    f'{{headers: {{X-Remote-User: {{from: uid}}, X-Groups: {{from: groups, join: ";", absent: "-"}}, {HEADERS}}}}}'
)

NAME_SPEC = '{template: "Hélène {family_name}, Cœur d\'Yvelines"}'
NAMED = f'{{headers: {{X-Remote-User: {NAME_SPEC}, X-Groups: {{from: groups, join: ";", absent: "-"}}}}}}'
TOLD = "{jwt: {header: X-Identity-Token, claims: {sub: {from: uid}, groups: {from: groups, list: true}}}}"


@dataclass(frozen=True, slots=True)
class Apps:
    """One Tomcat under several files: `java` says jsessionid, `strict` nothing, the others what they are named."""

    java: App
    strict: App
    insensitive: App
    merging: App
    latin: App
    spring: App
    token: App

    @property
    def all(self) -> list[App]:
        return [self.java, self.strict, self.insensitive, self.merging, self.latin, self.spring, self.token]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("place") / "gateway")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory, place: Place) -> Iterator[Apps]:
    port, latin_port = free(2)
    with tomcat(tmp_path_factory.mktemp("tomcat"), port, latin_port, place.portal("")):
        yield Apps(
            java=App("java", port, {"paths": "{parameters: [jsessionid]}", "translate": TRANSLATE}),
            strict=App("strict", port),
            insensitive=App("insensitive", port, {"paths": "{parameters: [jsessionid], case: insensitive}"}),
            merging=App("merging", port, {"paths": "{parameters: [jsessionid], merge_slashes: true}"}),
            latin=App("latin", latin_port, {"paths": "{parameters: [jsessionid], encoding: latin1}"}),
            spring=App("spring", port, {"upstream": f"{{url: http://127.0.0.1:{port}/spring}}", "translate": NAMED}),
            token=App("permis", port, {"upstream": f"{{url: http://127.0.0.1:{port}/token}}", "translate": TOLD}),
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(apps: Apps, place: Place, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(tmp_path_factory.mktemp("here"), apps.all, place) as installation:
        yield installation


def told(body: bytes) -> dict[str, str]:
    return dict(_LINE.fullmatch(line).groups() for line in body.decode().splitlines() if line)  # type: ignore[union-attr]


# --- the first visit ---


async def first_visit(here: Installation, app: App, target: str) -> tuple[Person, str]:
    """The person, who took no cookie of Tomcat's, and where Tomcat's redirect leads."""
    person = await here.signed_in(app)
    first = await person.step("GET", here.url(app, target))
    assert first.status == 302
    assert re.fullmatch(r"(.*/)?menu;jsessionid=[0-9A-F]{32}", first.header("Location")), first.header("Location")
    person.jar.forget(app.host, "JSESSIONID")
    return person, urljoin(first.url, first.header("Location"))


@pytest.mark.parametrize("target", ["/first", "/public/first"])
async def test_the_first_redirect_works_where_the_file_says_jsessionid(
    here: Installation, apps: Apps, target: str
) -> None:
    person, link = await first_visit(here, apps.java, target)
    page = await person.step("GET", link)
    assert page.status == 200
    assert told(page.body)["path"] == target.replace("first", "menu")
    assert told(page.body)["uri"] == link.removeprefix(here.url(apps.java, "")), "not byte for byte"
    assert told(page.body)["session"] == "known"
    assert told(page.body)["user"] == "helene"


async def test_the_first_redirect_is_400_where_the_file_says_nothing(here: Installation, apps: Apps) -> None:
    for target in ("/first", "/public/first"):
        person, link = await first_visit(here, apps.strict, target)
        assert (await person.step("GET", link)).status == 400


async def test_somebody_not_signed_in_comes_back_to_the_address_with_its_session(
    here: Installation, apps: Apps
) -> None:
    link = here.url(apps.java, "/menu;jsessionid=0123456789ABCDEF0123456789ABCDEF?x=1")
    page = await here.sign_in(here.person(), "helene", link)
    assert (page.status, page.url) == (200, link)
    assert told(page.body)["uri"] == "/menu;jsessionid=0123456789ABCDEF0123456789ABCDEF"


# --- one reading ---

SESSION = ";jsessionid=0123456789ABCDEF"
# How the gateway reads each target: as the servlet that Tomcat must then choose, or not at all.
READINGS = (
    ("/public/x", "public"),
    ("/public", "public"),
    ("/public/", "public"),
    ("/publicity", "other"),
    ("/admin", "admin"),
    ("/admin/", "admin"),
    ("/admin/x", "admin"),
    ("/adm%69n/x", "admin"),
    ("/%61%64%6d%69%6e", "admin"),
    ("/ADMIN/x", "other"),
    ("/administrator", "other"),
    ("/x", "other"),
    ("/public/%C3%A9t%C3%A9", "public"),
    ("/public/a%20b+c", "public"),
    ("/public/~a$b,c!(d)'e*", "public"),
    ("/public/a:b@c=d&e", "public"),
    ("/public/...", "public"),
    ("/public/.a/..b", "public"),
    ("/public/x?/../admin;a=b", "public"),
    (f"/public/x{SESSION}", "public"),
    (f"/public{SESSION}/x", "public"),
    (f"/public{SESSION}/x{SESSION}", "public"),
    (f"/admin{SESSION}", "admin"),
    (f"/admin{SESSION}/x", "admin"),
    (f"/adm%69n{SESSION}/x?y", "admin"),
    (f"/public/{SESSION}", "public"),
    ("/public/x;jsessionid", REFUSED),
    ("/public/x;jsessionid=", "public"),
    ("/public/x;jsessionid=a;jsessionid=b", REFUSED),
    ("/public/../admin/x", REFUSED),
    ("/public/%2e%2e/admin/x", REFUSED),
    ("/public/.%2e/admin/x", REFUSED),
    (f"/public/..{SESSION}/admin/x", REFUSED),
    (f"/public/%2e%2e{SESSION}/admin/x", REFUSED),
    (f"/public/.{SESSION}/x", REFUSED),
    ("/public/./x", REFUSED),
    ("/public/.", REFUSED),
    ("/public/..", REFUSED),
    ("//admin/x", REFUSED),
    (f"/{SESSION}/admin/x", REFUSED),
    (f"{SESSION}/admin/x", REFUSED),
    ("/public//x", REFUSED),
    ("/;a=b/admin/x", REFUSED),
    ("/public;a=b/x", REFUSED),
    ("/admin;a=b/x", REFUSED),
    ("/public;/x", REFUSED),
    ("/public;/../admin/x", REFUSED),
    ("/public/..;/admin/x", REFUSED),
    ("/public/..;a=b/admin/x", REFUSED),
    ("/public/x;JSESSIONID=A", REFUSED),
    ("/public/x;jsessionid=a;b=c", REFUSED),
    ("/public/x;jsessionid=a/../../admin/x", REFUSED),
    ("/public/x%3Bjsessionid=A", REFUSED),
    ("/public%2f..%2fadmin/x", REFUSED),
    ("/public/%2fadmin", REFUSED),
    ("/public/%5c..%5cadmin", REFUSED),
    ("/public\\..\\admin", REFUSED),
    ("/public/%00", REFUSED),
    ("/public/%252e%252e/admin", REFUSED),
    ("/public/%c0%ae%c0%ae/admin", REFUSED),
    ("/public/%e9", REFUSED),
    ("/public/%zz", REFUSED),
    ("public/x", REFUSED),
    ("/public/x#/../admin", REFUSED),
)  # fmt: skip
MERGED = (
    ("//admin/x", "admin"),
    ("/admin//x", "admin"),
    ("///admin", "admin"),
    ("/public//x", "public"),
    (f"/public{SESSION}//x", "public"),
    (f"/{SESSION}/admin/x", "admin"),
    ("//public/..//admin", REFUSED),
    ("//public/./x", REFUSED),
    ("/public/;a=b/x", REFUSED),
)
LATIN = (
    ("/public/%e9t%e9", "public"),
    ("/public/%C3%A9", "public"),
    ("/adm%69n/%e9", "admin"),
    ("/public/%c0%ae%c0%ae/admin", REFUSED),
    ("/public/%85", REFUSED),
)
PARAMETERS = frozenset({"jsessionid"})
OF_NOBODY = {"user": "nobody", "remote": "nobody", "roles": "false false"}


async def reads_as(here: Installation, app: App, leniency: PathLeniency, target: str, reading: str) -> None:
    """Policy shows its reading by what it answers to whom; Tomcat tells its own."""
    nobody, paul = here.person(), await here.signed_in(app, "paul")
    answers = [await person.step("GET", here.url(app), target=target, kind="script") for person in (nobody, paul)]
    statuses = tuple(answer.status for answer in answers)
    if reading == REFUSED:
        assert statuses == (400, 400)
        return
    assert statuses == {"public": (200, 200), "admin": (401, 403), "other": (401, 200)}[reading]
    alone = told(bytes((await direct(app.port, target)).body))
    assert alone["servlet"] == reading
    assert alone["path"] == "/" + "/".join(canonical_target(target.encode("latin-1"), leniency).segments)
    for answer in answers:
        if answer.status == 200:
            assert told(answer.body) | OF_NOBODY == alone | OF_NOBODY
            assert told(answer.body)["uri"] == target.partition("?")[0]


@pytest.mark.parametrize(("target", "reading"), READINGS)
async def test_policy_sees_what_tomcat_maps(here: Installation, apps: Apps, target: str, reading: str) -> None:
    await reads_as(here, apps.java, PathLeniency(parameters=PARAMETERS), target, reading)


@pytest.mark.parametrize(("target", "reading"), MERGED)
async def test_slashes_are_merged_as_tomcat_does(here: Installation, apps: Apps, target: str, reading: str) -> None:
    await reads_as(here, apps.merging, PathLeniency(parameters=PARAMETERS, merge_slashes=True), target, reading)


@pytest.mark.parametrize(("target", "reading"), LATIN)
async def test_latin_1_is_read_as_tomcat_does(here: Installation, apps: Apps, target: str, reading: str) -> None:
    await reads_as(here, apps.latin, PathLeniency(parameters=PARAMETERS, encoding="latin-1"), target, reading)


PIECES = (
    "/", "/", "/", "public", "/public/", "admin", "/admin", "/%61dmin/", "ADMIN", ".", "..", "/../", "%2e%2e", "/.",
    SESSION, SESSION, ";a=b", ";", "x", "%2f", "%5c", "\\", "%00", "%C3%A9", "%e9", "%25", "2e", "%c0%ae", "%20", "+",
    "~", "?", "%3b", "%3f",
)  # fmt: skip
MAY_SEE = {"nobody": {"public"}, "paul": {"public", "other"}}


async def test_no_target_put_together_by_chance_means_more_to_tomcat_than_to_policy(
    here: Installation, apps: Apps
) -> None:
    chance, nobody, passed = random.Random(20_240_229), here.person(), 0  # the same targets each time
    for _ in range(600):
        target = "/" + "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
        for app in (apps.java, apps.merging, apps.latin):
            for name, person in (("nobody", nobody), ("paul", await here.signed_in(app, "paul"))):
                answer = await person.step("GET", here.url(app), target=target, kind="script")
                if answer.status == 200:
                    assert told(answer.body)["servlet"] in MAY_SEE[name], f"{app.name}: {target}"
                    passed += 1
    assert passed > 200, "nearly all of them are refused: this shows nothing"


async def test_the_refusals_are_needed(apps: Apps) -> None:
    """Tomcat by itself takes these for the pages of administrators."""
    for target in (
        "/public/../admin/x", "/public/%2e%2e/admin/x", "/public/..;/admin/x", f"/public/..{SESSION}/admin/x",
        "/public;/../admin/x", "//admin/x", "/;a=b/admin/x", "/admin;a=b/x",
    ):  # fmt: skip
        assert told(bytes((await direct(apps.java.port, target)).body))["servlet"] == "admin", target


# --- case ---


@pytest.mark.parametrize("target", ["/%41DMIN", "/ADMIN/x", "/Admin", "/aDMIN/", f"/%41dmin{SESSION}/x"])
async def test_a_rule_is_met_in_any_case_where_the_file_says_so(here: Installation, apps: Apps, target: str) -> None:
    app = apps.insensitive
    assert (await here.person().step("GET", here.url(app), target=target, kind="script")).status == 401
    paul, helene = await here.signed_in(app, "paul"), await here.signed_in(app)
    assert (await paul.step("GET", here.url(app), target=target)).status == 403
    page = await helene.step("GET", here.url(app), target=target)
    assert (page.status, told(page.body)["uri"]) == (200, target)


async def test_in_a_file_that_does_not_say_so_another_case_is_another_path(here: Installation, apps: Apps) -> None:
    paul = await here.signed_in(apps.java, "paul")
    page = await paul.step("GET", here.url(apps.java), target="/%41DMIN")
    assert (page.status, told(page.body)["servlet"], told(page.body)["path"]) == (200, "other", "/ADMIN")


# --- headers ---


async def test_java_reads_the_injected_name_and_no_other(here: Installation, apps: Apps) -> None:
    helene = await here.signed_in(apps.java)
    for name in ("X-Remote-User", "x-remote-user", "X_Remote_User", "X.Remote.User"):
        page = await helene.step("GET", here.url(apps.java, "/x"), [(name, "forged")])
        assert told(page.body)["user"] == "helene"
        page = await here.person().step("GET", here.url(apps.java, "/public/x"), [(name, "forged")])
        assert told(page.body)["user"] == "nobody"


async def test_the_valve_makes_remote_user_and_roles_of_headers(here: Installation, apps: Apps) -> None:
    """deploy/readers/EcluseRemoteUserValve.java, compiled against this Tomcat."""
    helene = await here.signed_in(apps.java)
    for forged in ("Nom-utf8", "nom_utf8", "Remote-User", "REMOTE_USER", "X-Groups", "X_Groups"):
        found = told((await helene.step("GET", here.url(apps.java, "/x"), [(forged, "root")])).body)
        assert bytes.fromhex(found["remote"]).decode() == NAME
        assert found["roles"] == "true false"
        page = await here.person().step("GET", here.url(apps.java, "/public/x"), [(forged, "root")])
        assert (told(page.body)["remote"], told(page.body)["roles"]) == ("nobody", "false false")


async def test_a_name_arrives_in_each_encoding_byte_by_byte(here: Installation, apps: Apps) -> None:
    page = await (await here.signed_in(apps.java)).step("GET", here.url(apps.java, "/x"))
    found = {name: bytes.fromhex(value) for name, value in told(page.body).items() if name.startswith("header:")}
    assert found == {f"header:nom-{encoding}": sent for encoding, sent in SENT.items()}


# --- Spring ---


async def test_a_method_of_spring_is_given_the_person_of_the_header(here: Installation, apps: Apps) -> None:
    """deploy/readers/EcluseRequestHeaderFilter.java: Principal and roles, whatever a client says."""
    helene = await here.signed_in(apps.spring)
    for forged in ("X-Remote-User", "x_remote_user", "Remote-User", "REMOTE_USER", "X-Groups", "X_Groups"):
        found = told((await helene.step("GET", here.url(apps.spring, "/x"), [(forged, "root")])).body)
        assert bytes.fromhex(found["principal"]).decode() == NAME
        assert found["roles"] == "true false"
        page = await here.person().step("GET", here.url(apps.spring, "/public/x"), [(forged, "root")])
        assert (told(page.body)["principal"], told(page.body)["roles"]) == ("", "false false")


async def test_a_session_of_spring_stays_its_persons(here: Installation, apps: Apps) -> None:
    """Who comes with the cookie of another person's session gets one of their own."""
    first = await here.signed_in(apps.spring)
    visits = [told((await first.step("GET", here.url(apps.spring, "/x"))).body)["visits"] for _ in range(2)]
    assert int(visits[1]) == int(visits[0]) + 1
    session = first.jar.get(apps.spring.host, "JSESSIONID")
    assert session
    told_by = [("X-Remote-User", "paul"), ("Cookie", f"JSESSIONID={session}")]
    answer = await direct(apps.spring.port, "/spring/x", told_by)
    assert told(bytes(answer.body)) == {"principal": b"paul".hex(), "roles": "false false", "visits": "1"}
    assert told((await first.step("GET", here.url(apps.spring, "/x"))).body)["visits"] == "1", "it is gone for both"


# --- a token ---


async def test_java_believes_the_token_of_who_is_signed_in(here: Installation, apps: Apps) -> None:
    """deploy/readers/EcluseTokenFilter.java, with the keys that the portal publishes."""
    helene = await here.signed_in(apps.token)
    for forged in ("X-Identity-Token", "x_identity_token", "X-Remote-User"):
        found = told((await helene.step("GET", here.url(apps.token, "/x"), [(forged, "root")])).body)
        assert (bytes.fromhex(found["principal"]), found["roles"]) == (b"helene", "true false")
        page = await here.person().step("GET", here.url(apps.token, "/public/x"), [(forged, "root")])
        assert (told(page.body)["principal"], told(page.body)["roles"]) == ("", "false false")


async def test_java_refuses_what_is_no_token_of_the_gateway(here: Installation, apps: Apps) -> None:
    """Past the gateway: by itself the application lets nobody in by a name."""
    alone = told(bytes((await direct(apps.token.port, "/token/x", [("X-Remote-User", "root")])).body))
    assert (alone["principal"], alone["roles"]) == ("", "false false")
    for false in ("root", "Bearer root", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."):
        answer = await direct(apps.token.port, "/token/x", [("X-Identity-Token", false)])
        assert answer.status == 401


async def test_a_session_under_a_token_stays_its_persons(here: Installation, apps: Apps) -> None:
    first, second = await here.signed_in(apps.token), await here.signed_in(apps.token, "paul")
    visits = [told((await first.step("GET", here.url(apps.token, "/x"))).body)["visits"] for _ in range(2)]
    assert int(visits[1]) == int(visits[0]) + 1
    await second.step("GET", here.url(apps.token, "/x"))
    second.jar.put(apps.token.host, "JSESSIONID", first.jar.get(apps.token.host, "JSESSIONID") or "")
    found = told((await second.step("GET", here.url(apps.token, "/x"))).body)
    assert (bytes.fromhex(found["principal"]), found["visits"]) == (b"paul", "1")
