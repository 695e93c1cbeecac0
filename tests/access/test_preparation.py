"""What is made for an application of somebody is kept with their seat, and made anew before it ends."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.access.outcome import Prepared
from gateway.access.preparation import Preparation, translated
from gateway.config.snapshot import App
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.tokens.making import MadeTokens
from gateway.tokens.spec import BasicSpec, SigningKey, TokenClaim
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot
from tests.proxy.stand_ins import identity, seat
from tests.tokens.keys import key, pem

KEYS = "tokens: {keys: [{algorithm: ES256, key: {file: tokens.pem}}]}\n"
WITH_JWT = PERMIS.replace("access:", "  jwt: {header: X-Token, life: 60s, claims: {uid: {from: uid}}}\naccess:")


def app_of(text: str = WITH_JWT) -> App:
    files = {"gateway.yaml": GATEWAY + KEYS, "apps/permis.yaml": text}
    return sample_snapshot(files, {"file:tokens.pem": pem("ES256")}).apps["permis"]


class Bench:
    """A preparation with clocks of its own. `made`: how many times; it waits for `may_go_on`."""

    def __init__(self) -> None:
        self.mono, self.wall, self.made = 1000.0, 1_800_000_000.0, 0
        self.keys: tuple[SigningKey, ...] = (key("ES256"),)
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.prepare = Preparation(
            keys=lambda: self.keys,
            in_thread=self._in_thread,
            chance=lambda size: bytes([self.made]) * size,
            wall=lambda: self.wall,
            monotonic=lambda: self.mono,
        )

    async def _in_thread(self, work: Callable[[], MadeTokens]) -> MadeTokens:
        self.made += 1
        await self.may_go_on.wait()
        return work()

    def passes(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds

    async def ready(self, app: App, who: Seat) -> Prepared:
        """What a request gets, after what it has to wait for."""
        found = self.prepare(app, who, self.mono, self.wall)
        if not isinstance(found, Prepared):
            await found()
            found = self.prepare(app, who, self.mono, self.wall)
        assert isinstance(found, Prepared)
        return found


def told(prepared: Prepared) -> dict[str, object]:
    body = prepared.headers.partition(b"X-Token: ")[2].split(b".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(body + b"=="))
    return found


async def test_it_is_made_at_first_need_and_kept_with_the_seat() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    first = await bench.ready(app, who)
    assert first.headers.startswith(b"\r\nX-Remote-User: helene\r\nX-Token: ey")
    assert told(first)["uid"] == "helene"
    assert (await bench.ready(app, who), bench.made) == (first, 1)
    other = seat("permis.localhost", identity(uid="paul"))
    assert told(await bench.ready(app, other))["uid"] == "paul", "another person's never"


async def test_nothing_is_made_for_nobody_or_where_no_token_is_asked_for() -> None:
    bench = Bench()
    assert bench.prepare(app_of(), None, bench.mono, bench.wall) == Prepared(b"", b"")
    plain = bench.prepare(app_of(PERMIS), seat("permis.localhost", identity(uid="helene")), bench.mono, bench.wall)
    assert plain == Prepared(b"\r\nX-Remote-User: helene", b"")
    assert bench.made == 0


async def test_invariant_16_it_is_renewed_ahead_and_nobody_waits() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    first = await bench.ready(app, who)
    assert first.valid_until == bench.mono + 30
    bench.passes(31)
    bench.may_go_on.clear()
    still = bench.prepare(app, who, bench.mono, bench.wall)
    assert isinstance(still, Prepared)
    assert (still.headers, still.valid_until) == (first.headers, bench.mono + 1)
    await asyncio.sleep(0)
    bench.prepare(app, who, bench.mono, bench.wall)
    assert bench.made == 2, "once for each end, however many ask"
    bench.may_go_on.set()
    await asyncio.sleep(0.01)
    renewed = bench.prepare(app, who, bench.mono, bench.wall)
    assert isinstance(renewed, Prepared)
    assert told(renewed)["exp"] == int(bench.wall) + 60
    assert renewed.valid_until == bench.mono + 30


async def test_invariant_16_past_its_end_it_is_never_sent() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    first = await bench.ready(app, who)
    bench.may_go_on.clear()
    bench.passes(44.5)
    late = bench.prepare(app, who, bench.mono, bench.wall)
    assert isinstance(late, Prepared)
    assert late.valid_until == first.valid_until + 15, "not beyond its end, while new ones are made"
    bench.passes(0.6)
    assert not isinstance(bench.prepare(app, who, bench.mono, bench.wall), Prepared)


async def test_invariant_16_a_clock_that_is_set_forward_ends_it_too() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    await bench.ready(app, who)
    bench.wall += 3600
    assert not isinstance(bench.prepare(app, who, bench.mono, bench.wall), Prepared)


async def test_invariant_16_a_clock_that_stands_still_keeps_none_alive() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    await bench.ready(app, who)
    bench.mono += 46
    assert not isinstance(bench.prepare(app, who, bench.mono, bench.wall), Prepared)


async def test_what_the_provider_says_anew_is_told_at_once() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    await bench.ready(app, who)
    who.identity = identity(uid="lea")
    assert told(await bench.ready(app, who))["uid"] == "lea"


async def test_two_keys_overlap_and_what_one_signed_goes_with_it() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    first = await bench.ready(app, who)
    bench.keys = (key("ES256", 1), key("ES256"))
    assert (await bench.ready(app, who)).headers == first.headers, "its key is still published"
    bench.keys = (key("ES256", 1),)
    assert (await bench.ready(app, who)).headers != first.headers
    assert bench.made == 2


async def test_another_file_makes_another_token_and_the_same_file_keeps_it() -> None:
    bench, who = Bench(), seat("permis.localhost", identity(uid="helene"))
    first = await bench.ready(app_of(), who)
    assert (await bench.ready(app_of(), who)).headers == first.headers
    other = await bench.ready(app_of(WITH_JWT.replace("life:", "audience: urn:permis, life:")), who)
    assert (told(first)["aud"], told(other)["aud"]) == ("permis", "urn:permis")


async def test_it_ends_with_the_session() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="helene"))
    who.hard_deadline = bench.mono + 20
    found = await bench.ready(app, who)
    assert found.valid_until <= who.hard_deadline
    assert told(found)["exp"] == int(bench.wall) + 35


@pytest.mark.parametrize("preparing", ["translated", "prepared"])
async def test_what_a_token_cannot_tell_is_refused_before_anything_is_made(preparing: str) -> None:
    bench, app = Bench(), app_of(WITH_JWT.replace("{from: uid}}}", "{from: groups}}}"))
    who = seat("permis.localhost", identity(uid="helene", groups=("a", "b")))
    with pytest.raises(GatewayError, match=r"translation\.unencodable"):
        (translated if preparing == "translated" else bench.prepare)(app, who, bench.mono, bench.wall)
    assert bench.made == 0


async def test_what_does_not_fit_is_refused_and_never_cut() -> None:
    bench, app, who = Bench(), app_of(), seat("permis.localhost", identity(uid="h" * 8_000))
    with pytest.raises(GatewayError, match=r"translation\.budget: all headers, cookies and tokens together"):
        await bench.ready(app, who)


def test_http_basic_counts_as_well() -> None:
    spec = BasicSpec(TokenClaim("account", "uid"), "word")
    app, who = replace(app_of(PERMIS), basic=spec), seat("permis.localhost", identity(uid="h" * 4_000))
    with pytest.raises(GatewayError, match=r"translation\.budget: all headers, cookies and tokens together"):
        translated(app, who, 0.0, 0.0)


async def test_both_kinds_of_cookies_are_sent() -> None:
    text = WITH_JWT.replace("  headers:", "  cookies: {A: {value: x}}\n  headers:").replace("header: X-", "cookie: X-")
    found = await Bench().ready(app_of(text), seat("permis.localhost", identity(uid="helene")))
    assert found.cookies.startswith(b"A=x; X-Token=ey")


def test_the_names_of_tokens_are_dropped_from_every_client() -> None:
    """Invariant 3."""
    app = app_of()
    assert app.header_folds == {b"xremoteuser", b"xtoken"}
    assert app.cookie_names == frozenset()
    (spec,) = app.tokens
    as_cookie = replace(app, tokens=(replace(spec, carrier=replace(spec.carrier, kind="cookie")),))
    assert (as_cookie.header_folds, as_cookie.cookie_names) == ({b"xremoteuser"}, {b"xtoken"})
