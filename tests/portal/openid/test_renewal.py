"""Refresh tokens: one caller at a time, nobody waits, and a session ends where its provider says so."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway.model.provider import AttributeSource, Perimeter
from gateway.model.session import Seat
from gateway.ops.log import Log
from gateway.stores.sessions.sessions import Sessions
from tests.portal.browser import Browser
from tests.portal.flow.test_look_again import Table
from tests.portal.installation import ACTES, KEYS, PORTAL, Installation
from tests.portal.scim.people import CLIENT, created, opens


@pytest.fixture(autouse=True)
def refreshing(here: Installation) -> None:
    here.change_provider("metropole", refresh=True)


async def seated(here: Installation, sessions: Sessions | None = None) -> tuple[Browser, Seat]:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    return browser, await seat_of(here, browser, sessions)


async def seat_of(here: Installation, browser: Browser, sessions: Sessions | None = None) -> Seat:
    seat = await (sessions or here.sessions).load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    return seat


async def renewed(here: Installation, *seats: Seat) -> None:
    assert here.renewal is not None
    await asyncio.gather(*(here.renewal.renew(seat) for seat in seats))


async def test_the_token_is_kept_sealed_and_told_to_nobody(here: Installation) -> None:
    browser, seat = await seated(here)
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is not None
    assert session.tokens.refresh_token == "refresh-0-alice"
    assert "refresh-0" not in repr(session)
    assert b"refresh-0" not in repr([vars(store) for store in here.store.stores.values()]).encode()
    told = await browser.get(here.url(ACTES, "/_ecluse/session"))
    assert "refresh" not in told.text
    assert "refresh-0" not in str(here.logged())


async def test_without_the_word_in_the_file_it_is_not_kept(here: Installation) -> None:
    here.change_provider("metropole", refresh=False)
    _, seat = await seated(here)
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is None
    assert seat.refresh_at == float("inf")


async def test_it_is_asked_ahead_of_the_end_and_the_session_goes_on_with_the_newer_tokens(here: Installation) -> None:
    _, seat = await seated(here)
    assert seat.refresh_at - here.clock.monotonic() == pytest.approx(240, abs=30)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert here.metropole.refreshes == ["refresh-0-alice"]
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is not None
    assert (session.tokens.refresh_token, session.tokens.number) == ("refresh-1-alice", 1)
    assert seat.live
    assert seat.refresh_at - here.clock.monotonic() == pytest.approx(240, abs=30)
    # And the newer ID token is the hint at the provider from now on.
    assert session.id_token is not None
    assert jwt.decode(session.id_token, here.metropole.key, algorithms=["RS256"]).claims["iat"] > session.created_at


async def test_fifty_at_the_moment_of_expiry_make_one_request(here: Installation) -> None:
    """SE07: of one worker and of others, through any seat."""
    browser, seat = await seated(here)
    other = Sessions(here.store, KEYS, now=here.clock.seconds, monotonic=here.clock.monotonic)
    seats = [seat, await seat_of(here, browser, other)]
    portal = await here.sessions.load(PORTAL, browser.jar[PORTAL]["__Host-ecluse"].encode())
    assert portal is not None
    here.clock.ahead = 241
    await renewed(here, *[*seats, portal] * 17)
    assert here.metropole.refreshes == ["refresh-0-alice"]
    assert all(each.live for each in seats)
    # Who came second finds the result of the first.
    await renewed(here, *seats)
    assert here.metropole.refreshes == ["refresh-0-alice"]
    assert all(each.refresh_at > here.clock.monotonic() + 200 for each in seats)


async def test_a_use_of_the_seat_sets_it_going_once(here: Installation) -> None:
    _, seat = await seated(here)
    due: list[Seat] = []
    here.sessions.when_due(due.append, lambda session: 0.0)
    here.sessions.touch(seat, here.clock.monotonic())
    assert due == []
    here.clock.ahead = 241
    for _ in range(50):
        here.sessions.touch(seat, here.clock.monotonic())
    assert due == [seat]


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (lambda claims: web.json_response({"error": "invalid_grant"}, status=400), "oidc.refresh.ended"),
        (lambda claims: claims.update(sub="bob"), "oidc.refresh.subject"),
        (lambda claims: claims.update(iss="https://evil.example"), "oidc.id_token.issuer"),
        (lambda claims: claims.update(aud="another"), "oidc.id_token.audience"),
    ],
)
async def test_the_session_ends_where_the_provider_says_so_or_speaks_of_another(
    here: Installation, answer, event: str
) -> None:
    browser, seat = await seated(here)
    here.metropole.refresh_answer = answer
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not seat.live
    assert here.revoker.told == [(seat.session_id,)]
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303
    assert here.codes() == [event]


async def test_its_end_is_in_force_before_the_log_tells_of_it(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, seat = await seated(here)
    found: list[tuple[str, bool]] = []
    monkeypatch.setattr(Log, "event", lambda _, event, **fields: found.append((event, seat.live)))
    here.metropole.refresh_answer = lambda claims: web.json_response({"error": "invalid_grant"}, status=400)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert found == [("refresh.ended", False)]


def by_a_new_key(claims: dict[str, object]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k2"}, claims, RSAKey.generate_key(2048))


@pytest.mark.parametrize(
    "answer",
    [
        lambda claims: web.Response(status=503),
        lambda claims: web.json_response({"error": "invalid_client"}, status=401),
        lambda claims: web.json_response({"error": "slow_down"}, status=400),
        # A key that is not published yet: its set is behind, or could not be fetched once more.
        lambda claims: web.json_response(
            {"token_type": "Bearer", "access_token": "a", "id_token": by_a_new_key(claims)}
        ),
    ],
)
async def test_a_provider_that_cannot_say_ends_nothing_and_is_asked_again(here: Installation, answer) -> None:
    browser, seat = await seated(here)
    here.metropole.refresh_answer = answer
    here.clock.ahead = 241
    await renewed(here, seat)
    assert seat.live
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"
    here.metropole.refresh_answer = lambda claims: None
    for later in (0, 50):
        here.clock.ahead = 241 + later
        await renewed(here, seat)
        assert here.metropole.refreshes == [], "held while the first may be under way, so that no token is sent twice"
    here.clock.ahead = 241 + 61
    await renewed(here, seat)
    assert here.metropole.refreshes == ["refresh-0-alice"]
    assert seat.live
    assert [line["event"] for line in here.logged() if line["event"].startswith("refresh")] == ["refresh.failed"]


async def test_a_session_that_ended_meanwhile_is_not_brought_back(here: Installation) -> None:
    browser, seat = await seated(here)
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is not None
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert not await here.sessions.renew(ACTES, seat.cookie, session, session)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert here.metropole.refreshes == []


async def test_newer_tokens_are_written_over_what_was_read_alone(here: Installation) -> None:
    """Compare and set."""
    _, seat = await seated(here)
    before = await here.sessions.opened(ACTES, seat.cookie)
    assert before is not None
    assert before.tokens is not None
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not await here.sessions.renew(ACTES, seat.cookie, before, before)
    after = await here.sessions.opened(ACTES, seat.cookie)
    assert after is not None
    assert after.tokens is not None
    assert after.tokens.number == 1


async def test_a_token_is_not_shown_to_another_issuer_that_the_file_names_since(here: Installation) -> None:
    _, seat = await seated(here)
    here.change_provider("metropole", issuer=here.departement.issuer)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert here.departement.refreshes == here.metropole.refreshes == []
    assert here.departement.forms == here.metropole.forms[1:] == []


async def test_who_was_deactivated_and_signed_in_before_the_directory_was_listed_goes_with_a_refresh(
    here: Installation,
) -> None:
    _, seat = await seated(here)
    here.lists(CLIENT)
    await here.told.set_active(CLIENT, "alice", active=False)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not seat.live
    assert here.codes() == ["login.deactivated"]


# --- userinfo, asked again


@pytest.fixture
def telling(here: Installation) -> None:
    """Who a person is comes from userinfo, which is asked again with each refresh."""
    groups = {name: AttributeSource((claim,)) for name, claim in (("uid", "preferred_username"), ("groups", "groups"))}
    perimeter = Perimeter(email_domains=frozenset({"corp.example"}))
    here.change_provider(
        "metropole",
        userinfo=True,
        refresh_userinfo=True,
        attributes={**groups, "mail": AttributeSource(("email",))},
        perimeter=perimeter,
    )
    here.metropole.userinfo = about("alice", groups=["agents", "admins"])


def about(subject: str, **claims: object) -> dict[str, object]:
    return {"sub": subject, "preferred_username": subject, "email": f"{subject}@corp.example"} | claims


@pytest.mark.usefixtures("telling")
async def test_who_has_lost_a_group_there_has_lost_it_here_in_every_worker(here: Installation) -> None:
    browser, seat = await seated(here)
    other = Sessions(here.store, KEYS, now=here.clock.seconds, monotonic=here.clock.monotonic)
    elsewhere = await seat_of(here, browser, other)
    assert elsewhere.identity.attributes["groups"] == ("agents", "admins")
    here.metropole.userinfo = about("alice", groups=["agents"], acr="eidas3", auth_time=1)
    seat.outcomes["/"] = "with all groups"
    here.clock.ahead = 241
    await renewed(here, seat)
    # How and when the person signed in is as it was.
    lesser = replace(elsewhere.identity, attributes={**elsewhere.identity.attributes, "groups": ("agents",)})
    assert (seat.identity, seat.outcomes, here.changed) == (lesser, {}, [seat])
    # Another worker's seat finds out when its own time comes, which is not put off by a look into the store.
    assert await seat_of(here, browser, other) is elsewhere
    assert elsewhere.refresh_at <= here.clock.monotonic()
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is not None
    assert session.tokens.number == 1


@pytest.mark.usefixtures("telling")
async def test_a_seat_of_another_worker_finds_out_by_itself(here: Installation) -> None:
    browser, seat = await seated(here)
    portal = await here.sessions.load(PORTAL, browser.jar[PORTAL]["__Host-ecluse"].encode())
    assert portal is not None
    here.metropole.userinfo = about("alice", groups=[])
    here.clock.ahead = 241
    await renewed(here, seat)
    assert here.changed == [seat]
    await renewed(here, portal)
    assert portal.identity == seat.identity
    assert here.changed == [seat, portal]
    assert here.metropole.refreshes == ["refresh-0-alice"]


@pytest.mark.usefixtures("telling")
async def test_who_has_left_a_directory_that_ends_sessions_loses_theirs_with_a_refresh_too(here: Installation) -> None:
    table = Table(here, gone="end")
    table.says("alice,maire")
    _, seat = await seated(here)
    table.says("bob,maire")
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not seat.live
    assert here.codes() == ["directory.gone"]


@pytest.mark.usefixtures("telling")
async def test_who_has_another_name_since_a_refresh_is_known_to_directories_that_tell_by_that(
    here: Installation,
) -> None:
    here.lists(CLIENT)
    browser, seat = await seated(here)
    here.metropole.userinfo = about("alice", preferred_username="alice.dupont")
    here.clock.ahead = 241
    await renewed(here, seat)
    assert await opens(here, browser)
    await created(here, "alice.dupont", active=False)
    assert not await opens(here, browser)


@pytest.mark.usefixtures("telling")
async def test_what_a_directory_said_that_is_away_counts_to_its_end_after_a_refresh_too(here: Installation) -> None:
    table = Table(here)
    table.says("alice,maire")
    _, seat = await seated(here)
    table.is_away()
    here.clock.ahead = 241
    await renewed(here, seat)
    assert (seat.live, table.office(seat)) == (True, ("maire",))


@pytest.mark.usefixtures("telling")
async def test_as_long_as_nothing_has_changed_nothing_is_cut(here: Installation) -> None:
    _, seat = await seated(here)
    here.clock.ahead = 241
    await renewed(here, seat)
    assert here.changed == []
    assert here.metropole.refreshes == ["refresh-0-alice"]


@pytest.mark.usefixtures("telling")
@pytest.mark.parametrize(
    ("userinfo", "code"),
    [
        (about("bob"), "oidc.userinfo.subject"),
        (about("alice", email="alice@evil.example"), "login.outside_perimeter"),
        (about("alice", groups=["a\r\nb"]), "login.mapping"),
    ],
)
async def test_who_would_not_be_signed_in_like_that_is_signed_out(
    here: Installation, userinfo: dict[str, object], code: str
) -> None:
    browser, seat = await seated(here)
    here.metropole.userinfo = userinfo
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not seat.live
    assert here.revoker.told == [(seat.session_id,)]
    assert here.codes() == [code]
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303


@pytest.mark.usefixtures("telling")
async def test_who_acts_for_another_organisation_signs_in_again(here: Installation) -> None:
    here.change_provider("metropole", tenant_attribute="groups", perimeter=Perimeter())
    here.metropole.userinfo = about("alice", groups=["21590350100017"])
    _, seat = await seated(here)
    assert seat.tenant == "21590350100017"
    here.metropole.userinfo = about("alice", groups=["13002526500013"])
    here.clock.ahead = 241
    await renewed(here, seat)
    assert not seat.live
    assert here.codes() == ["oidc.refresh.subject"]


@pytest.mark.usefixtures("telling")
async def test_userinfo_that_cannot_be_asked_changes_nothing_and_costs_no_token(here: Installation) -> None:
    _, seat = await seated(here)
    here.metropole.userinfo = None
    here.clock.ahead = 241
    await renewed(here, seat)
    assert seat.live
    session = await here.sessions.opened(ACTES, seat.cookie)
    assert session is not None
    assert session.tokens is not None
    assert (session.tokens.refresh_token, session.identity) == ("refresh-1-alice", seat.identity)
    assert [line["event"] for line in here.logged() if line["event"].startswith("refresh")] == ["refresh.failed"]


@pytest.mark.usefixtures("telling")
async def test_without_the_word_in_the_file_a_person_stays_who_they_were(here: Installation) -> None:
    here.change_provider("metropole", refresh_userinfo=False)
    _, seat = await seated(here)
    here.metropole.userinfo = about("bob")
    here.clock.ahead = 241
    await renewed(here, seat)
    assert seat.live
    assert here.metropole.refreshes == ["refresh-0-alice"]
