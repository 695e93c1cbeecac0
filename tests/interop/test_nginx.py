"""nginx as the application: files, ranges, what has not changed, and an answer of unknown length."""

import gzip
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from tests.interop.installation import App, Installation, direct, installed
from tests.interop.servers import nginx

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

PLAN = b"".join(b"ligne %07d\n" % number for number in range(200_000))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    (port,) = free(1)
    with nginx(tmp_path_factory.mktemp("nginx"), port, {"plan.txt": PLAN, "vide.txt": b""}):
        yield App("statique", port)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(tmp_path_factory.mktemp("here"), [app]) as installation:
        yield installation


async def test_a_file_comes_as_nginx_gives_it(here: Installation, app: App) -> None:
    page = await (await here.signed_in(app)).step("GET", here.url(app, "/plan.txt"))
    alone = await direct(app.port, "/plan.txt")
    assert page.body == PLAN
    kept = {"content-type", "content-length", "etag", "last-modified", "accept-ranges", "server"}
    for headers in (page.headers, alone.headers):
        assert {name.lower() for name, _ in headers} >= kept
    assert {name: value for name, value in page.headers if name.lower() in kept} == {
        name: value for name, value in alone.headers if name.lower() in kept
    }


async def test_an_empty_file_is_empty_and_the_connection_goes_on(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    for _ in range(2):
        page = await person.step("GET", here.url(app, "/vide.txt"))
        assert (page.status, page.body, page.header("Content-Length")) == (200, b"", "0")


async def test_what_has_not_changed_is_304_without_a_body(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    first = await person.step("GET", here.url(app, "/plan.txt"))
    for _ in range(3):
        again = await person.step("GET", here.url(app, "/plan.txt"), [("If-None-Match", first.header("ETag"))])
        assert (again.status, again.body, again.header("ETag")) == (304, b"", first.header("ETag"))
    since = await person.step("GET", here.url(app, "/plan.txt"), [("If-Modified-Since", first.header("Last-Modified"))])
    assert since.status == 304
    changed = await person.step("GET", here.url(app, "/plan.txt"), [("If-None-Match", '"other"')])
    assert (changed.status, len(changed.body)) == (200, len(PLAN))


async def test_a_range_is_a_part_and_an_impossible_one_is_416(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    part = await person.step("GET", here.url(app, "/plan.txt"), [("Range", "bytes=1000-250999")])
    assert (part.status, part.body) == (206, PLAN[1000:251000])
    assert part.header("Content-Range") == f"bytes 1000-250999/{len(PLAN)}"
    parts = await person.step("GET", here.url(app, "/plan.txt"), [("Range", "bytes=0-9,100-109")])
    assert parts.status == 206
    assert parts.header("Content-Type").startswith("multipart/byteranges")
    assert PLAN[100:110] in parts.body
    beyond = await person.step("GET", here.url(app, "/plan.txt"), [("Range", f"bytes={len(PLAN)}-")])
    assert beyond.status == 416


async def test_a_chunked_answer_comes_whole_and_still_compressed(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    for _ in range(2):
        page = await person.step("GET", here.url(app, "/zipped/plan.txt"), [("Accept-Encoding", "gzip")])
        assert (page.header("Transfer-Encoding"), page.header("Content-Encoding")) == ("chunked", "gzip")
        assert gzip.decompress(page.body) == PLAN


async def test_a_head_of_a_file_tells_its_length_alone(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    for target in ("/plan.txt", "/zipped/plan.txt"):
        head = await person.step("HEAD", here.url(app, target), [("Accept-Encoding", "gzip")])
        assert (head.status, head.body) == (200, b"")
    assert (await person.step("GET", here.url(app, "/vide.txt"))).status == 200


async def test_an_old_client_is_answered_in_its_own_version(here: Installation, app: App) -> None:
    seat = here.seat(await here.signed_in(app), app)
    for target in ("/plan.txt", "/zipped/plan.txt"):
        request = f"GET {target} HTTP/1.0\r\nHost: {app.host}\r\nAccept-Encoding: gzip\r\n{seat}\r\n"
        reading = await here.raw(request.encode())
        assert reading.status == 200
        assert not [value for name, value in reading.headers if name.lower() == "transfer-encoding"]
        content = bytes(reading.body)
        assert (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content) == PLAN
        assert not reading.keep_alive


async def test_nginx_sees_the_injected_name_and_one_version(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    page = await person.step("GET", here.url(app, "/told"), [("X-Remote-User", "forged")])
    assert page.text == "user=helene connection= version=HTTP/1.1\n"
    nobody = await here.person().step("GET", here.url(app, "/told"), [("X-Remote-User", "forged")], kind="script")
    assert nobody.status == 401
    public = await here.person().step("GET", here.url(app, "/public/none"), [("X-Remote-User", "forged")])
    assert public.status == 404


async def test_an_upload_that_nginx_refuses_early_is_answered(here: Installation, app: App) -> None:
    seat = here.seat(await here.signed_in(app), app)
    content = b"x" * 2_000_000  # nginx takes 1 MB where nothing is said
    head = f"POST /told HTTP/1.1\r\nHost: {app.host}\r\n{seat}Content-Length: {len(content)}\r\n\r\n"
    reading = await here.raw(head.encode() + content)
    assert reading.status == 413


async def test_a_front_that_decodes_once_more_cuts_at_an_escaped_mark_and_is_never_asked(
    here: Installation, app: App
) -> None:
    paul = await here.signed_in(app)
    for target, cut in (("/again/target%3fx", "/target?x"), ("/again/target/%253f", "/target/%3f")):
        assert (await direct(app.port, target)).body == cut.encode() + b"\n", "nginx does not: this shows nothing"
        assert (await paul.step("GET", here.url(app), target=target)).status == 400
