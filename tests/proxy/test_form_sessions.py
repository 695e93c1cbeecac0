"""A session that the gateway keeps at an application, on the data plane: what is sent, and when it is over."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic

import pytest

from gateway.access.outcome import Prepared
from gateway.access.preparation import Preparation
from gateway.config.snapshot import App
from gateway.formlogin.spec import ApplicationSession
from gateway.model.account import AccountHolder, AccountSettings
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from tests.calls import traced
from tests.config.samples import GATEWAY
from tests.patience import PATIENCE
from tests.proxy.applications import Act, Application, application
from tests.proxy.gateways import Answer, Gateway, ask, gateway
from tests.proxy.websocket_ends import ORIGIN, TUNNEL, WANTS, frame, taking

FORM = """\
form_login:
  trusted: {from: uid, secret: {file: app}}
  steps: [{page: /login, fields: {u: login, p: secret}}]
  signed_in: [{location: /in}]
  expired: [{location: /login}, {status: 401}, {marker: Session over}, {marker: Ended, status: 403}]
  cookies: [SID, LANG]
"""
PAGE = b"Sec-Fetch-Dest: document"
SCRIPT = b"Sec-Fetch-Dest: empty"


def answer(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"\r\n".join((b"HTTP/1.1 " + status, b"Content-Type: text/html", *lines))
    return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


FINE = answer(b"<p>fine")
OVER = answer(b"", b"Location: /login?next=/a", status=b"302 Found")


CHUNKS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6\r\n<p>Ses\r\n8\r\nsion ove\r\n5\r\nr</p>\r\n0\r\n\r\n"
)


class Forms:
    """access.preparation.FormSignIns, that signs in at nothing. `made`: how many; `kept`: what all workers have."""

    def __init__(self) -> None:
        self.made = 0
        self.kept: list[ApplicationSession] = []
        self.gone: list[ApplicationSession | None] = []
        self.error: GatewayError | None = None

    async def session(
        self, app: App, seat: Seat, fixed: Prepared, gone: ApplicationSession | None
    ) -> ApplicationSession:
        await asyncio.sleep(0.02)
        if self.error is not None:
            raise self.error
        self.gone.append(gone)
        self.made += 1
        assert app.form_login is not None
        return ApplicationSession(app.form_login.fingerprint, "helene", b"SID=%d; LANG=fr" % self.made)

    async def keep(self, app: App, seat: Seat, session: ApplicationSession) -> None:
        self.kept.append(session)

    async def ended_at_once(self, app: App, session: ApplicationSession) -> None:
        raise AssertionError("none is said to have begun here")


class Links:
    """access.account.Accounts, with one login for everybody."""

    state = 0

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes]:
        return "helene", b""


class Here:
    def __init__(self, app: Application, gate: Gateway, forms: Forms) -> None:
        self.app = app
        self.gate = gate
        self.forms = forms
        self.cookie = gate.sign_in(uid="helene")

    async def get(self, *lines: bytes, line: bytes = b"GET /a", kind: bytes = PAGE) -> Answer:
        client = await self.gate.client()
        return await client.ask(ask(line, kind, self.cookie, *lines))

    def sent(self) -> list[bytes]:
        """Of each request that the application got: its session."""
        found = []
        for request in self.app.requests:
            (line,) = [line for line in request.split(b"\r\n") if line.startswith(b"Cookie: ")] or [b""]
            pairs = line.removeprefix(b"Cookie: ").split(b"; ")
            found.append(b"; ".join(pair for pair in pairs if pair.startswith((b"SID=", b"LANG="))))
        return found


@asynccontextmanager
async def here(
    *acts: Act,
    then: Act = FINE,
    form: str = FORM,
    changes: dict[str, str] | None = None,
    secrets: dict[str, bytes] | None = None,
) -> AsyncIterator[Here]:
    forms, held = Forms(), {"file:app": b"un secret", **(secrets or {})}
    prepare = Preparation(
        keys=tuple,
        in_thread=asyncio.to_thread,
        chance=bytes,
        wall=time.time,
        monotonic=monotonic,
        accounts=Links(),
        forms=forms,
    )
    async with (
        application(*acts, then=then) as app,
        gateway(app, app=form, changes=changes, secrets=held, prepare=prepare, preparation=prepare) as gate,
    ):
        yield Here(app, gate, forms)


# --- what is sent


@pytest.mark.parametrize("line", [b"GET /a", b"GET /public/a", b"HEAD /a", b"OPTIONS /a", b"DELETE /a"])
async def test_each_request_of_a_person_has_the_session_and_nobody_else_has_one(line: bytes) -> None:
    async with here() as at:
        for _ in range(2):
            assert (await at.get(line=line, kind=SCRIPT)).status == 200
        assert at.sent() == [b"SID=1; LANG=fr"] * 2
        await at.gate.once(ask(b"GET /public/a"))
        assert at.sent()[-1] == b""
        assert at.forms.made == 1


@pytest.mark.parametrize("forged", [b"SID=x", b"sid=x", b"S.I.D=x", b'$Version=1; SID="x"', b"a=b; LANG=xx; SID=y"])
async def test_invariant_3_a_browser_brings_no_cookie_of_the_session(forged: bytes) -> None:
    async with here() as at:
        at.cookie = at.cookie + b"; " + forged
        await at.get()
        await at.gate.once(ask(b"GET /public/a", b"Cookie: " + forged))
        assert at.sent() == [b"SID=1; LANG=fr", b""]
        assert b"=x" not in at.app.received


async def test_invariant_4_no_cookie_of_the_session_reaches_a_browser() -> None:
    sets = b"Set-Cookie: SID=9; Path=/", b"Set-Cookie: other=1", b"set-cookie: LANG=en"
    async with here(answer(b"a", *sets), answer(b"a", sets[0])) as at:
        page = await at.get()
        assert page.values(b"Set-Cookie") == [b"other=1"]
        assert (await at.get(kind=SCRIPT)).values(b"Set-Cookie") == []
        await at.get()
        assert at.sent() == [b"SID=1; LANG=fr", b"SID=9; LANG=en", b"SID=9; LANG=en"]
        await at.gate.until(lambda: at.forms.kept)
        assert [one.cookies for one in at.forms.kept] == [b"SID=9; LANG=en"]


async def test_invariant_4_nor_does_one_that_an_interim_response_sets() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nSet-Cookie: SID=early\r\nLink: </a>\r\n\r\n"
    async with here(early + FINE) as at:
        client = await at.gate.client()
        client.send(ask(b"GET /a", PAGE, at.cookie))
        hints, page = await client.answer(), await client.answer()
        assert (hints.status, page.status) == (103, 200)
        assert b"SID" not in hints.head + page.head
        await at.get()
        assert at.sent()[1] == b"SID=early; LANG=fr"


async def test_a_session_that_the_application_takes_back_is_over() -> None:
    gone = b"Set-Cookie: SID=; Max-Age=0", b"Set-Cookie: LANG=; Max-Age=0"
    async with here(answer(b"a", *gone)) as at:
        await at.get()
        await at.get()
        assert at.sent() == [b"SID=1; LANG=fr", b"SID=2; LANG=fr"]


async def test_several_at_once_are_one_sign_in() -> None:
    async with here() as at:
        await asyncio.gather(*(at.get() for _ in range(6)))
        assert at.forms.made == 1


async def test_a_sign_in_that_fails_is_a_page_and_not_tried_for_each_picture() -> None:
    async with here() as at:
        at.forms.error = GatewayError(form_login_codes.ANSWER, "status 500")
        for kind in (PAGE, SCRIPT, PAGE):
            assert (await at.get(kind=kind)).status == 502
        at.forms.error = None
        assert (await at.get()).status == 502
        seat = at.gate.sessions.hot[next(iter(at.gate.sessions.hot))]
        seat.application = None
        assert (await at.get()).status == 200
        assert at.app.requests[0].startswith(b"GET /a ")


async def test_an_identity_that_has_changed_is_looked_at_again() -> None:
    async with here() as at:
        await at.get()
        (seat,) = at.gate.sessions.hot.values()
        seat.identity = replace(seat.identity, subject="subject-2")
        seat.outcomes.clear()
        await at.get()
        assert at.forms.made == 2


async def test_a_warm_request_goes_by_ready_bytes() -> None:
    async with here(then=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as at:
        client = await at.gate.client()
        request = ask(b"GET /a", SCRIPT, at.cookie)
        for _ in range(3):
            await client.ask(request)
        with traced() as calls:
            await client.ask(request)
        names = [name.rpartition(".")[2] for name in calls.names]
        assert not {"compile", "middle_of", "decide", "render"} & set(names), calls.names
        assert at.sent() == [b"SID=1; LANG=fr"] * 4


# --- that it is over


@pytest.mark.parametrize(
    "over",
    [
        OVER,
        answer(b"", b"Location: http://permis.localhost:8080/login", status=b"303 See Other"),
        answer(b"denied", status=b"401 Unauthorized"),
        answer(b"<p>Session over</p>"),
        answer(b"<p>Ended</p>", status=b"403 Forbidden"),
        CHUNKS,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Session over",
        answer(b"<p>Session over</p>" + b" " * 300_000),
    ],
)
async def test_a_page_that_says_so_is_asked_for_again_signed_in(over: bytes) -> None:
    async with here(over) as at:
        page = await at.get()
        assert (page.status, page.body) == (200, b"<p>fine")
        assert at.sent() == [b"SID=1; LANG=fr", b"SID=2; LANG=fr"]
        assert [one and one.cookies for one in at.forms.gone] == [None, b"SID=1; LANG=fr"]


@pytest.mark.parametrize(
    "not_over",
    [
        answer(b"", b"Location: /login2", status=b"302 Found"),
        answer(b"", b"Location: https://evil.example/login", status=b"302 Found"),
        answer(b"", b"Location: https://permis.localhost:8080/login", status=b"302 Found"),
        answer(b"", b"Location: /login", status=b"201 Created"),
        answer(b"Ended"),
        answer(b"session over"),
        answer(b" " * 65536 + b"Session over"),
        answer(b"Session over").replace(b"text/html", b"text/plain"),
        answer(gzip.compress(b"Session over"), b"Content-Encoding: gzip"),
    ],
)
async def test_any_other_page_goes_on_as_it_is(not_over: bytes) -> None:
    async with here(not_over) as at:
        page = await at.get()
        head, _, body = not_over.partition(b"\r\n\r\n")
        assert (b"%d" % page.status, page.body) == (head[9:12], body)
        assert at.forms.made == 1


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1_000_000])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
async def test_a_page_that_is_searched_arrives_byte_for_byte(size: int, framing: str) -> None:
    body = bytes(index % 251 for index in range(size))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    if framing == "length":
        whole = head + b"Content-Length: %d\r\n\r\n" % size + body
    elif framing == "chunks":
        pieces = [body[at : at + 40_000] for at in range(0, size, 40_000)]
        whole = head + b"Transfer-Encoding: chunked\r\n\r\n"
        whole += b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    else:
        whole = head + b"\r\n" + body

    def send(peer: object) -> None:
        peer.send(whole)  # type: ignore[attr-defined]
        if framing == "close":
            peer.close()  # type: ignore[attr-defined]

    async with here(send) as at:
        page = await at.get()
        assert page.body == body
        assert (await at.get()).body == b"<p>fine"


async def test_no_more_of_a_page_waits_than_is_searched() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
    async with here(head + b"a" * 65536) as at:
        client = await at.gate.client()
        client.send(ask(b"GET /a", PAGE, at.cookie))
        first = await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert b"Content-Length: 100000" in first
        assert await asyncio.wait_for(client.reader.readexactly(65536), PATIENCE) == b"a" * 65536
        (await at.app.peer()).send(b"b" * 34464)
        assert await asyncio.wait_for(client.reader.readexactly(34464), PATIENCE) == b"b" * 34464


@pytest.mark.parametrize("over", [OVER, answer(b"Session over"), answer(b"", status=b"401 Unauthorized")])
@pytest.mark.parametrize(
    ("line", "kind", "body"),
    [
        (b"GET /a", SCRIPT, b""),
        (b"GET /a", b"Sec-Fetch-Dest: iframe", b""),
        (b"GET /a", b"X-Requested-With: XMLHttpRequest", b""),
        (b"POST /a", PAGE, b"a=1"),
        (b"POST /a", PAGE, b""),
        (b"DELETE /a", PAGE, b""),
    ],
)
async def test_nothing_but_a_page_by_get_is_sent_again(over: bytes, line: bytes, kind: bytes, body: bytes) -> None:
    async with here(over) as at:
        length = (b"Content-Length: %d" % len(body),) if body else ()
        got = await at.gate.once(ask(line, kind, at.cookie, *length, body=body))
        assert (b"%d" % got.status) == over[9:12]
        assert (len(at.app.requests), at.forms.made) == (1, 1)


@pytest.mark.parametrize("over", [OVER, answer(b"", b"Set-Cookie: SID=anew", status=b"401 Unauthorized")])
async def test_a_form_that_hears_it_goes_on_and_whoever_sends_it_once_more_is_signed_in_before(over: bytes) -> None:
    async with here(over) as at:
        form = ask(b"POST /a", PAGE, at.cookie, b"Content-Length: 3", body=b"a=1")
        first = await at.gate.once(form)
        assert (b"%d" % first.status) == over[9:12]
        assert first.values(b"Set-Cookie") == []
        assert (await at.gate.once(form)).status == 200
        assert at.sent() == [b"SID=1; LANG=fr", b"SID=2; LANG=fr"]
        assert [one and one.cookies for one in at.forms.gone] == [None, b"SID=1; LANG=fr"]
        assert at.forms.kept == []


@pytest.mark.parametrize(
    ("over", "kind"), [(OVER, SCRIPT), (answer(b"Session over"), PAGE), (answer(b"", status=b"403 Forbidden"), PAGE)]
)
async def test_a_script_or_another_answer_ends_no_session(over: bytes, kind: bytes) -> None:
    async with here(over) as at:
        form = ask(b"POST /a", kind, at.cookie, b"Content-Length: 3", body=b"a=1")
        for _ in range(2):
            await at.gate.once(form)
        assert at.sent() == [b"SID=1; LANG=fr"] * 2
        assert at.forms.made == 1


async def test_a_head_is_sent_again_as_a_head() -> None:
    async with here(OVER) as at:
        assert (await at.get(line=b"HEAD /a")).status == 200
        assert [request[:7] for request in at.app.requests] == [b"HEAD /a"] * 2


@pytest.mark.parametrize("over", [OVER, answer(b"Session over")])
async def test_an_application_that_says_so_each_time_is_no_loop(over: bytes) -> None:
    async with here(then=over) as at:
        page = await at.get()
        assert (page.status, page.body.split()[0]) == (502, b"form_login.loop")
        assert (len(at.app.requests), at.forms.made) == (2, 2)
        (line,) = at.gate.log.named("request.refused")
        assert line["code"] == "form_login.loop"


async def test_whoever_may_link_by_themselves_is_led_there_after_such_a_loop() -> None:
    """An application whose refusals look like successes says so of an old password, too: no other account helps."""
    form = FORM.replace("  trusted: {from: uid, secret: {file: app}}\n", "")
    account = "account: {by: [uid], ask: Ask us., missing: link}\n"
    keys = {"gateway.yaml": f"{GATEWAY}accounts: {{keys: [{{id: k1, secret: {{file: ../certs/links.key}}}}]}}\n"}
    secrets = {"file:../certs/links.key": b"l" * 40}
    for more, led in ((account, True), (account.replace(", missing: link", ""), False)):
        async with here(then=OVER, form=form + more, changes=keys, secrets=secrets) as at:
            page = await at.get(line=b"GET /a?b=1")
            assert page.body.split()[0] == b"form_login.loop"
            assert (b"/_ecluse/account?to=/a%3Fb%3D1" in page.body) is led


async def test_the_way_on_from_a_form_that_is_not_needed_is_the_application() -> None:
    """Neither another account nor this one sends it by hand."""
    async with here() as at:
        for line in (b"POST /login", b"GET /login?p=guess"):
            page = await at.get(b"Content-Length: 0", line=line)
            assert (page.status, page.body.split()[:3]) == (403, [b"policy.login_form", b"html", b"/"])
        assert at.app.requests == []


async def test_two_pages_that_hear_it_at_once_are_one_sign_in() -> None:
    async with here(FINE, OVER, OVER) as at:
        await at.get()
        pages = await asyncio.gather(at.get(), at.get())
        assert [page.body for page in pages] == [b"<p>fine"] * 2
        assert at.forms.made == 2


async def test_it_is_not_said_of_a_session_that_began_meanwhile() -> None:
    """The answer to an old request comes late: the person is signed in anew already."""
    async with here(FINE, None, OVER) as at:
        await at.get()
        late = asyncio.create_task(at.get())
        await at.gate.until(lambda: len(at.app.requests) == 2)
        assert (await at.get()).body == b"<p>fine"
        assert at.forms.made == 2
        next(peer for peer in at.app.peers if peer.received.count(b"GET /a") and not peer.lost.is_set()).send(OVER)
        for peer in at.app.peers:
            if not peer.lost.is_set():
                peer.send(b"")
        assert (await asyncio.wait_for(late, PATIENCE)).body == b"<p>fine"
        assert at.forms.made == 2


async def test_with_bodies_rewritten_too() -> None:
    form = FORM + "rewrite: {headers: true, bodies: true, texts: {intranet: public}}\n"
    async with here(answer(b"<p>Session over intranet"), then=answer(b"<p>intranet"), form=form) as at:
        page = await at.get()
        assert page.body == b"<p>public"
        assert at.forms.made == 2
        assert b"Accept-Encoding: identity" in at.app.requests[0]


async def test_a_person_who_was_signed_out_meanwhile_is_not_signed_in_again() -> None:
    async with here(FINE, None) as at:
        await at.get()
        waits = asyncio.create_task(at.get())
        await at.gate.until(lambda: len(at.app.requests) == 2)
        (seat,) = at.gate.sessions.hot.values()
        seat.live = False
        for peer in at.app.peers:
            if peer.received.count(b"GET /a") and not peer.lost.is_set():
                peer.send(OVER)
        page = await asyncio.wait_for(waits, PATIENCE)
        assert page.status in (200, 303, 401)
        assert len(at.app.requests) == 2
        assert at.forms.made == 1


async def test_the_opening_of_a_websocket_carries_the_session_and_gives_browsers_none() -> None:
    taken = taking(lambda _: None, b"Set-Cookie: SID=7; Path=/", b"Set-Cookie: other=1")
    async with here(taken, form=FORM + TUNNEL) as world:
        client = await world.gate.client()
        client.send(ask(b"GET /ws", world.cookie, ORIGIN, *WANTS))
        opened = await client.answer()
        assert (opened.status, opened.values(b"Set-Cookie")) == (101, [b"other=1"])
        assert world.sent() == [b"SID=1; LANG=fr"]
        world.app.peers[0].send(frame(b"Session over"))
        assert await client.reader.readexactly(14) == frame(b"Session over")
        assert (await world.get()).status == 200
        assert world.sent()[1:] == [b"SID=7; LANG=fr"]
