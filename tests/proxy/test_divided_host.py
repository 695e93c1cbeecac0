"""Several applications on one host, by path: each request is one application's, in one reading (invariant 2)."""

import asyncio

import pytest

from tests.config.samples import sample_snapshot
from tests.proxy.applications import SOON, Application, application
from tests.proxy.gateways import ask, files, gateway

WIKI = """\
version: 1
app: wiki
hosts: [permis.localhost]
path: /wiki
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
translate: {{headers: {{X-Wiki-User: {{from: uid}}}}}}
access:
  - {{path: /wiki/**, allow: anyone}}
  - {{path: /wiki/admin/**, allow: {{group: wiki}}}}
"""
OF_OTHERS = [
    b"/WIKI/a", b"/Wiki", b"/%77iki/a", b"/wik%69", b"/wiki%2Fa", b"/wiki%2fa", b"/wiki;x=1/a", b"/wiki;/a",
    b"//wiki/a", b"/./wiki/a", b"/x/../wiki/a", b"/wiki%5Ca", b"/wiki./a", b"/wiki%20/a", b"/wiki%3Fa", b"/wiki%23a",
    b"/%2577iki/a", b"/(S(x))/wiki/a", b"/wiki(bD1kZSZjPTEwMA==)/a", b"/%EF%BD%97iki/a",
]  # fmt: skip


def wiki(beside: Application) -> dict[str, str]:
    return {"apps/wiki.yaml": WIKI.format(port=beside.port)}


def own(target: bytes) -> bytes:
    return b"GET %b" % target


async def test_each_path_goes_to_its_application() -> None:
    async with application() as behind, application() as beside, gateway(behind, changes=wiki(beside)) as gate:
        cookie = gate.sign_in()
        # On one connection by turns: what is known of one request's lines is not another application's.
        client = await gate.client()
        for target, there in (
            (b"/wiki/a", beside), (b"/public/a", behind), (b"/wiki", beside), (b"/wiki?x=/a", beside),
            (b"/wikipedia", behind), (b"/public/wiki/a", behind), (b"/wiki/", beside), (b"/other", behind),
        ):  # fmt: skip
            answer = await client.ask(ask(own(target), cookie))
            assert answer.status == 200, target
            sent = there.requests.pop()
            assert sent.startswith(b"GET " + target + b" HTTP/1.1\r\n"), target
            name = b"X-Wiki-User" if there is beside else b"X-Remote-User"
            assert b"\r\n" + name + b": jdupont\r\n" in sent
            assert (b"X-Remote-User" in sent) == (there is behind)
            assert (behind.requests, beside.requests) == ([], [])
        refused = await gate.once(ask(own(b"/wiki/admin/a"), cookie))
        assert refused.status == 403


@pytest.mark.parametrize("target", OF_OTHERS)
@pytest.mark.parametrize(
    "paths",
    [
        "", "paths: {merge_slashes: true, case: insensitive, windows: true}", "paths: {semicolon: literal}",
        "paths: {encoded_slash: keep, encoded_percent: literal}", "paths: {cookieless: true, mangled: true}",
        "paths: {parameters: [x], escaped: ['?', '#']}",
    ],
)  # fmt: skip
async def test_no_other_spelling_of_its_path_reaches_the_application_beside_it(target: bytes, paths: str) -> None:
    # What is refused needs nobody behind it.
    changes = {"apps/wiki.yaml": WIKI.format(port=1)}
    async with application() as behind, gateway(behind, app=paths, changes=changes) as gate:
        assert (await gate.once(ask(own(target), gate.sign_in()))).status == 400, target
        assert behind.requests == []


async def test_the_absolute_form_is_divided_alike() -> None:
    async with application() as behind, application() as beside, gateway(behind, changes=wiki(beside)) as gate:
        assert (await gate.once(ask(own(b"http://permis.localhost/wiki/a")))).status == 200
        assert (len(behind.requests), len(beside.requests)) == (0, 1)


async def test_cookies_stay_below_the_path_and_nothing_is_said_for_the_whole_host() -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: sid=1; Path=/; HttpOnly\r\n"
        b'Set-Cookie: __Host-x=1; Path=/; Secure\r\nClear-Site-Data: "storage"\r\nService-Worker-Allowed: /\r\n\r\n'
    )
    async with application(said) as beside, application(said) as behind, gateway(behind, changes=wiki(beside)) as gate:
        answer = await gate.once(ask(own(b"/wiki/a")))
        assert answer.values(b"Set-Cookie") == [b"sid=1; HttpOnly; Path=/wiki"]
        assert answer.values(b"Clear-Site-Data") + answer.values(b"Service-Worker-Allowed") == []
        # The other application has the rest of the host, as before.
        answer = await gate.once(ask(own(b"/public/a")))
        assert answer.values(b"Set-Cookie")[0] == b"sid=1; Path=/; HttpOnly"


async def test_a_host_without_a_whole_application_refuses_what_is_nobodys() -> None:
    alone = {"apps/permis.yaml": WIKI.format(port=1)}
    async with application() as behind, gateway(behind, changes=alone) as gate:
        assert (await gate.once(ask(own(b"/wiki/a")))).status == 502
        assert (await gate.once(ask(own(b"/other")))).status == 404


async def test_where_nobody_is_at_the_root_no_page_leads_to_it() -> None:
    """The portal's page for what is not there leads to people's applications: on such a host, it would to itself."""
    lines = [b"Accept: text/html", b"Sec-Fetch-Dest: document", b"Sec-Fetch-Mode: navigate"]
    async with application() as beside:
        file = WIKI.replace("app: wiki", "app: permis").format(port=beside.port)
        async with gateway(beside, changes={"apps/permis.yaml": file}) as gate:
            for host, leads_on in ((b"permis.localhost", False), (b"portail.localhost", True)):
                page = await gate.once(ask(b"GET /other", *lines).replace(b"permis.localhost", host))
                assert (page.status, page.body.endswith(b" /")) == (404, leads_on)


@pytest.mark.parametrize(
    ("inner", "sent"), [("/", b"/a?b"), ("/app", b"/app/a?b"), ("/app/", b"/app/a?b"), ("", b"/wiki/a?b")]
)
async def test_an_application_may_have_its_pages_at_another_path(inner: str, sent: bytes) -> None:
    there = inner.rstrip("/").encode() if inner else b"/wiki"
    said = (
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %b/x\r\nSet-Cookie: sid=1; Path=%b/\r\n"
        b"Link: <%b/a.css>; rel=preload\r\nRefresh: 3; url=%b/y\r\n\r\n"
    ) % ((there,) * 4)
    async with application(then=said) as beside, application() as behind:
        changes = {"apps/wiki.yaml": WIKI.replace("{port}", f"{beside.port}{inner}").format()}
        async with gateway(behind, changes=changes) as gate:
            client = await gate.client()
            # The second is one that was read before, with another query.
            for target, asked in ((b"/wiki/a?b", sent), (b"/wiki/a?c", sent[:-1] + b"c")):
                answer = await client.ask(ask(own(target)))
                assert beside.requests.pop().startswith(b"GET %b HTTP/1.1\r\n" % asked)
                assert answer.values(b"Location") == [b"/wiki/x"]
                assert answer.values(b"Set-Cookie")[0].startswith(b"sid=1; Path=/wiki")
                assert answer.values(b"Link") == [b"</wiki/a.css>; rel=preload"]
                assert answer.values(b"Refresh") == [b"3; url=/wiki/y"]
            # Rules are asked about the path as browsers know it.
            assert (await gate.once(ask(own(b"/wiki/admin/a"), gate.sign_in()))).status == 403


@pytest.mark.parametrize(("paths", "status"), [("", 400), ("paths: {mangled: true}\n", 403)])
@pytest.mark.parametrize("public", ["/wiki", "/team/wiki"])
async def test_what_sap_takes_off_the_first_segment_that_it_reads_is_none_of_the_path(
    paths: str, status: int, public: str
) -> None:
    """To it `/admin(...)/a` is `/admin/a`, whatever browsers have before."""
    async with application() as beside, application() as behind:
        text = WIKI.replace("{port}", f"{beside.port}/").format().replace("/wiki", public) + paths
        async with gateway(behind, changes={"apps/wiki.yaml": text}) as gate:
            for target in (b"/admin(bD1kZSZjPTEwMA==)/a", b"/%61dmin%28bD1kZSZjPTEwMA==%29/a"):
                answer = await gate.once(ask(own(public.encode() + target), gate.sign_in()))
                assert (answer.status, beside.requests) == (status, []), target
            # Further on it is a name as any other.
            assert (await gate.once(ask(own(public.encode() + b"/a/b(bD1k)/a")))).status == 200


async def test_the_path_of_another_is_one_in_no_charset() -> None:
    """What is other letters in windows-1252 may be those of the path in UTF-8."""
    changes = {"apps/wiki.yaml": WIKI.format(port=1).replace("/wiki", "/beta")}
    async with application() as behind, gateway(behind, app="paths: {encoding: latin1}", changes=changes) as gate:
        for target in (b"/%EF%BD%82eta/a", b"/%e1%b5%87eta/a"):
            assert (await gate.once(ask(own(target), gate.sign_in()))).status == 400, target
        assert behind.requests == []


async def test_a_stream_is_judged_again_by_the_application_of_its_path() -> None:
    """Invariant 12: not by that of the whole host, under which it would be cut at each reload."""
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    async with (
        application(then=events) as beside,
        application() as behind,
        gateway(behind, changes=wiki(beside)) as gate,
    ):
        client = await gate.client()
        client.send(ask(own(b"/wiki/a"), gate.sign_in()))
        peer = await beside.peer()
        await beside.request()
        for allow, goes_on in (("signed_in", True), ("{group: x}", False)):
            changed = WIKI.format(port=beside.port).replace("/wiki/**, allow: anyone", f"/wiki/**, allow: {allow}")
            gate.plane.holder.snapshot = sample_snapshot({**files(behind.port), "apps/wiki.yaml": changed})
            gate.plane.snapshot_swapped()
            await gate.clock.passes(6)
            if goes_on:
                peer.send(b"data: 2\n\n")
                await asyncio.wait_for(client.reader.readuntil(b"data: 2\n\n"), SOON)
                assert not peer.lost.is_set()
        await asyncio.wait_for(peer.lost.wait(), SOON)
