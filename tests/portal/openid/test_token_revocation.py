"""RFC 7009: a refresh token ends at the provider with the session that it was for, and nobody waits for that."""

import asyncio

import pytest
from aiohttp import web

from gateway.model.provider import ProviderLogout
from gateway.model.session import Seat
from tests.patience import until
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, Installation


@pytest.fixture(autouse=True)
def revoking(here: Installation) -> None:
    here.change_provider("metropole", refresh=True)
    here.metropole.revokes = True


async def seated(here: Installation) -> tuple[Browser, Seat]:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    return browser, seat


async def signed_out(here: Installation, browser: Browser) -> None:
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert (reply.status, "You are signed out" in reply.text) == (200, True)
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303


async def renewed(here: Installation, seat: Seat) -> None:
    assert here.renewal is not None
    here.clock.ahead = 241
    await here.renewal.renew(seat)


async def told(here: Installation) -> list[str]:
    """The tokens that were revoked once all that was begun is finished."""
    await here.federation.close()
    return [form["token"] for form in here.metropole.revoked]


async def test_who_signs_out_here_takes_the_token_along(here: Installation) -> None:
    browser, _ = await seated(here)
    await signed_out(here, browser)
    await until(lambda: here.metropole.revoked != [])
    assert here.metropole.revoked == [
        {"token": "refresh-0-alice", "token_type_hint": "refresh_token", "client_id": "ecluse"}
    ]
    assert [line["event"] for line in here.logged() if line["level"] != "info"] == []


async def test_it_is_the_newest_one(here: Installation) -> None:
    browser, seat = await seated(here)
    await renewed(here, seat)
    await signed_out(here, browser)
    assert await told(here) == ["refresh-1-alice"]


@pytest.mark.parametrize("changes", [{"logout": ProviderLogout(revoke=False)}, {"issuer": "http://127.0.0.1:9"}])
async def test_not_where_the_file_says_no_or_names_another_issuer_since(
    here: Installation, changes: dict[str, object]
) -> None:
    browser, _ = await seated(here)
    here.change_provider("metropole", **changes)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert await told(here) == []
    assert here.codes() == []


async def test_nor_where_there_is_no_token_or_no_endpoint(here: Installation) -> None:
    here.change_provider("metropole", refresh=False)
    browser, _ = await seated(here)
    await signed_out(here, browser)
    here.metropole.revokes = False
    here.change_provider("metropole", refresh=True, private_addresses=True)
    browser, _ = await seated(here)
    await signed_out(here, browser)
    assert await told(here) == []
    assert here.codes() == []


@pytest.mark.parametrize(
    ("status", "code"), [(503, "login.provider_unreachable"), (400, "oidc.revocation"), (302, "oidc.revocation")]
)
async def test_a_provider_that_refuses_is_one_line_of_the_log_and_no_more(
    here: Installation, status: int, code: str
) -> None:
    async def refuses() -> web.Response:
        return web.Response(status=status)

    here.metropole.revocation = refuses
    browser, _ = await seated(here)
    await signed_out(here, browser)
    assert await told(here) == ["refresh-0-alice"]
    (line,) = [line for line in here.logged() if line["level"] != "info"]
    assert (line["event"], line["provider"], line["code"]) == ("tokens.not_revoked", "metropole", code)
    assert "refresh-0" not in str(line)


async def test_nobody_waits_for_the_provider_nor_does_the_end_of_the_process(here: Installation) -> None:
    never = asyncio.Event()

    async def hangs() -> web.Response:
        await never.wait()
        return web.Response()

    here.metropole.revocation = hangs
    browser, _ = await seated(here)
    await signed_out(here, browser)
    await until(lambda: here.metropole.revoked != [])
    assert await told(here) == ["refresh-0-alice"]
    never.set()
    # Which the log would have, had anybody waited until the provider's time was over.
    assert here.codes() == []


async def test_a_session_that_a_refresh_ends_takes_its_token_along(here: Installation) -> None:
    _, seat = await seated(here)
    here.metropole.refresh_answer = lambda claims: claims.update(sub="bob")
    await renewed(here, seat)
    assert not seat.live
    assert await told(here) == ["refresh-0-alice"]


async def test_what_the_provider_knows_no_more_it_is_not_told(here: Installation) -> None:
    _, seat = await seated(here)
    here.metropole.refresh_answer = lambda claims: web.json_response({"error": "invalid_grant"}, status=400)
    await renewed(here, seat)
    assert not seat.live
    assert await told(here) == []


async def test_tokens_that_come_when_the_session_has_ended_are_given_back(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, seat = await seated(here)
    renew = here.sessions.renew

    async def after_a_sign_out(*args: object) -> bool:
        await signed_out(here, browser)
        return await renew(*args)  # type: ignore[arg-type] - as it was called

    monkeypatch.setattr(here.sessions, "renew", after_a_sign_out)
    await renewed(here, seat)
    assert sorted(await told(here)) == ["refresh-0-alice", "refresh-1-alice"]
