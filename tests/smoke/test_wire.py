"""One reading of a request, or none."""

import asyncio

from tests.patience import PATIENCE
from tests.raw_http import Connection
from tests.smoke.pages import received
from tests.smoke.world import PERMIS_HOST, World

AMBIGUOUS = (
    "/public/%2e%2e/admin/", "/public/../admin/", "/public/./x", "//admin/", "/public//x", "/public/%2fadmin",
    "/public/%5c..%5cadmin", "/public\\..\\admin", "/public/%00", "/public/;/admin", "/public;x=1/",
    "/public/%252e%252e/admin", "/public/%c0%ae%c0%ae/admin", "/public/%zz", "/public/%u002e", "*", "public/",
    "/_ecluse/..;/admin",
)  # fmt: skip


async def test_a_path_with_two_readings_is_400(world: World) -> None:
    helene, _ = await world.signed_in("helene")
    for person in (world.person(), helene):
        for target in AMBIGUOUS:
            page = await person.step("GET", world.permis(), target=target)
            assert page.status == 400, f"{target}: {page.status}"
            assert received(page) == {}, f"{target} reached the application"


async def test_an_absolute_address_of_another_host_is_400(world: World) -> None:
    person = world.person()
    assert (await person.step("GET", world.permis(), target="http://evil.example/public/")).status == 400
    assert (await person.step("GET", world.permis(), target=world.subventions("/public/"))).status == 400


async def test_the_bytes_of_a_path_reach_the_application_unchanged(world: World) -> None:
    person, _ = await world.signed_in("helene")
    for target in ("/a%20b/%C3%A9?x=%2F..%2f&y=a+b", "/%7Euser/!$&'()*+,=:@", "/x?//../%00"):
        page = await person.step("GET", world.permis(), target=target)
        assert received(page)["REQUEST_URI"] == target.encode(), f"{target}: {page.status}"


async def test_a_host_without_an_application_is_421(world: World) -> None:
    page = await world.person().open(world.demo.origin("inconnu.localhost") + "/")
    assert page.status == 421
    assert page.history == ()


async def test_a_wrong_host_header_is_400(world: World) -> None:
    for hosts in (
        "",
        f"Host: {PERMIS_HOST}\r\nHost: {PERMIS_HOST}\r\n",
        "Host: a b\r\n",
        "Host: permis.localhost@x\r\n",
    ):
        assert await status_of(world, f"GET /public/ HTTP/1.1\r\n{hosts}\r\n") == 400, hosts


async def test_an_endpoint_of_ours_that_does_not_exist_is_404(world: World) -> None:
    person, _ = await world.signed_in("helene")
    for url in (world.permis(), world.subventions(), world.portal("/")):
        for target in ("/_ecluse/unknown", "/_ecluse/", "/_ecluse", "/_ecluse/start/x"):
            page = await person.step("GET", url, target=target)
            assert page.status == 404, f"{url} {target}: {page.status}"
            assert received(page) == {}
    assert (await person.step("GET", world.permis(), target="/_ecluse/start?t=x")).status == 404, "only on the portal"
    assert (await person.step("GET", world.portal("/"), target="/_ecluse/enter?code=x")).status == 404, "only on an app"


async def test_an_endpoint_of_ours_takes_its_own_method_alone(world: World) -> None:
    assert (await world.person().post(world.permis("/_ecluse/enter?code=x"), "")).status == 405


async def test_the_portal_has_no_page_outside_its_own_paths(world: World) -> None:
    assert (await world.person().open(world.portal("/x"))).status == 404
    home = await world.person().open(world.portal("/"))
    assert home.status == 200
    assert received(home) == {}


async def test_a_request_with_two_lengths_is_400(world: World) -> None:
    head = f"POST /public/ HTTP/1.1\r\nHost: {PERMIS_HOST}\r\n"
    for framing in (
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: +5\r\n",
    ):
        assert await status_of(world, f"{head}{framing}\r\n0\r\n\r\n") == 400, framing


async def test_pipelined_requests_are_answered_in_their_order(world: World) -> None:
    head = f" HTTP/1.1\r\nHost: {PERMIS_HOST}\r\n"
    targets = ["/public/lent?secondes=1", "/public/deux", "/_ecluse/unknown", "/public/quatre"]
    requests = [f"GET {target}{head}\r\n" for target in targets]
    requests[-1] = requests[-1].replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    answer = await raw(world, "".join(requests))
    places = [answer.find(text) for text in (b"Page lente", b"/public/deux", b"Page introuvable", b"/public/quatre")]
    assert -1 not in places, f"not all answered: {places}"
    assert places == sorted(places)


async def test_one_connection_carries_many_requests(world: World) -> None:
    connection = await Connection.open(world.permis())
    request = f"GET /public/ HTTP/1.1\r\nHost: {PERMIS_HOST}\r\n\r\n".encode()
    ids = set()
    for _ in range(20):
        assert connection.usable
        reading = await connection.exchange(request)
        assert reading.status == 200
        ids |= {line for line in bytes(reading.body).splitlines() if b"HTTP_X_REQUEST_ID" in line}
    await connection.close()
    assert len(ids) == 20


async def test_too_much_is_refused_early(world: World) -> None:
    person = world.person()
    assert (await person.step("GET", world.permis("/public/"), target="/public/" + "a" * 9000)).status == 414
    assert (await person.step("GET", world.permis("/public/"), [("X-Long", "a" * 40_000)])).status == 431
    assert (await person.step("GET", world.permis("/public/"), [(f"X-{n}", "1") for n in range(120)])).status == 431


async def status_of(world: World, request: str) -> int:
    return int((await raw(world, request)).split(b" ", 2)[1])


async def raw(world: World, request: str) -> bytes:
    """Everything that comes back until the gateway closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.demo.ports.public)
    writer.write(request.encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(-1), PATIENCE)
    writer.close()
    return answer
