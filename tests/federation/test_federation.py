import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateway.federation.client import FAILURES
from gateway.federation.federation import Federation
from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.oidc.authorization import process_authorization_response
from gateway.oidc.id_token import IdToken
from gateway.oidc.refresh import Held
from gateway.ops.log import Log
from tests.federation.servers import Op, raw_server, running_op
from tests.oidc.samples import LOGIN, NOW, provider, signer
from tests.patience import PATIENCE, until

DISCOVERY = "/.well-known/openid-configuration"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def federation(clock: Clock | None = None, log: Log | None = None) -> AsyncIterator[Federation]:
    made = Federation(clock or time.monotonic, log)
    try:
        yield made
    finally:
        await made.close()


async def sign_in(made: Federation, op: Op, value: str = "abc") -> tuple[IdToken, dict[str, object]]:
    code = op.code(await made.metadata(op.provider), value=value)
    id_token, claims = await made.sign_in(op.provider, code, LOGIN, NOW)
    return id_token, dict(claims)


async def refusal(made: Federation, op: Op, value: str = "abc") -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        await sign_in(made, op, value)
    return refused.value


async def refused_refresh(made: Federation, op: Op) -> GatewayError:
    with pytest.raises(GatewayError) as refused:
        await made.refresh(replace(op.provider, refresh=True), "of-the-sign-in", Held("f7d3c4a0", ""), NOW)
    return refused.value


# --- a sign-in --------------------------------------------------------------------------------------------------------


async def test_a_sign_in_asks_what_it_needs_and_no_more() -> None:
    async with running_op() as op, federation() as made:
        id_token, claims = await sign_in(made, op)
        assert (id_token.provider, id_token.subject) == ("metropole", "f7d3c4a0")
        assert claims["email"] == "helene@metropole.example"
        assert claims["nonce"] == LOGIN.nonce
        assert op.asked == [DISCOVERY, "/token", "/jwks", "/userinfo"]
        assert op.forms[0]["code_verifier"] == LOGIN.code_verifier
        await sign_in(made, op)
        assert op.asked[4:] == ["/token", "/userinfo"]


async def test_userinfo_is_asked_only_where_the_file_says_so() -> None:
    async with running_op() as op, federation() as made:
        of = replace(op.provider, userinfo=False)
        code = op.code(await made.metadata(of))
        _, claims = await made.sign_in(of, code, LOGIN, NOW)
        assert "email" not in claims
        assert op.count("/userinfo") == 0


async def test_nothing_is_asked_before_somebody_signs_in() -> None:
    async with running_op() as op, federation():
        await asyncio.sleep(0.05)
        assert op.asked == []


async def test_the_time_that_a_provider_takes_is_no_skew() -> None:
    """The token is made 50 s after the callback, and 5 s are tolerated."""
    clock = Clock()

    async with running_op() as op, federation(clock) as made:
        of = replace(op.provider, skew=5)
        code = op.code(await made.metadata(of))
        await made.keys(of)
        op.claims = {"iat": NOW + 50, "exp": NOW + 350}
        op.before = lambda path: setattr(clock, "now", 50.0) if path == "/token" else None
        id_token, _ = await made.sign_in(of, code, LOGIN, NOW)
        assert id_token.issued_at == int(NOW) + 50


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"claims": {"nonce": "x" * 43}}, oidc_codes.ID_TOKEN_NONCE),
        ({"claims": {"iss": "https://evil.example"}}, oidc_codes.ID_TOKEN_ISSUER),
        ({"claims": {"exp": NOW - 60}}, oidc_codes.ID_TOKEN_EXPIRED),
        ({"signer": signer("RS256", "stranger")}, oidc_codes.ID_TOKEN_KEY),
        ({"signer": replace(signer("RS256", "stranger"), kid="rs256")}, oidc_codes.ID_TOKEN_SIGNATURE),
        ({"userinfo": {"sub": "another"}}, oidc_codes.USERINFO_SUBJECT),
        ({"metadata": {"issuer": "https://evil.example"}}, oidc_codes.DISCOVERY_ISSUER),
        ({"metadata": {"token_endpoint": "file:///etc/passwd"}}, oidc_codes.DISCOVERY_ENDPOINT),
        ({"metadata": {"jwks_uri": "http://169.254.169.254/jwks"}}, oidc_codes.ADDRESS),
        ({"failing": {"/token"}}, login_codes.PROVIDER_UNREACHABLE),
        ({"failing": {"/jwks"}}, login_codes.PROVIDER_UNREACHABLE),
        ({"failing": {"/userinfo"}}, login_codes.PROVIDER_UNREACHABLE),
        ({"failing": {DISCOVERY}}, login_codes.PROVIDER_UNREACHABLE),
        ({"texts": {"/token": "<html>"}}, oidc_codes.TOKEN),
        ({"texts": {"/userinfo": "[" * 100_000}}, oidc_codes.USERINFO),
    ],
)
async def test_a_provider_that_answers_wrongly_signs_nobody_in(change: dict[str, object], code: object) -> None:
    async with running_op() as op, federation() as made:
        for name, value in change.items():
            setattr(op, name, value)
        assert (await refusal(made, op)).code is code


@pytest.mark.parametrize("where", ["iss", "aud", "azp", "token_type", "userinfo"])
async def test_what_a_provider_that_answers_wrongly_echoes_is_not_told(where: str) -> None:
    async with running_op() as op, federation() as made:
        secret = op.provider.client_secret
        assert secret is not None
        said = f"no {secret} for c0de-of-this-sign-in"
        match where:
            case "token_type":
                op.texts = {"/token": json.dumps({"token_type": said, "access_token": "a", "id_token": "b"})}
            case "userinfo":
                op.texts = {"/userinfo": json.dumps({said: 1})[:-1]}
            case _:
                op.claims = {where: said}
        error = await refusal(made, op, "c0de-of-this-sign-in")
        for word in (secret, "c0de-of", LOGIN.code_verifier, LOGIN.nonce):
            assert word not in error.detail
        assert where == "userinfo" or error.detail.count("(not shown)") == 2


async def test_a_code_goes_to_its_own_provider_alone() -> None:
    async with running_op() as a, running_op() as b, federation() as made:
        code = a.code(await made.metadata(a.provider))
        of_b = replace(b.provider, name="departement")
        with pytest.raises(GatewayError) as refused:
            await made.sign_in(of_b, code, LOGIN, NOW)
        assert refused.value.code is login_codes.OTHER_PROVIDER
        assert b.count("/token") == 0


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_keys_rotate() -> None:
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.signer = signer("RS256", "next")
        op.published = [op.signer]
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"
        assert op.count("/jwks") == 2


async def test_keys_rotate_under_the_same_kid() -> None:
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.signer = replace(signer("RS256", "next"), kid="rs256")
        op.published = [op.signer]
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"


async def test_unknown_keys_cause_one_fetch_in_thirty_seconds() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        await sign_in(made, op)
        op.signer = signer("RS256", "stranger")
        for _ in range(30):
            assert (await refusal(made, op)).code is oidc_codes.ID_TOKEN_KEY
        assert op.count("/jwks") == 2
        clock.now += 30
        assert (await refusal(made, op)).code is oidc_codes.ID_TOKEN_KEY
        assert op.count("/jwks") == 3


async def test_a_key_set_that_became_bad_does_not_replace_the_good_one() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        await sign_in(made, op)
        op.texts = {"/jwks": '{"keys": []}'}
        clock.now += 86400
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"
        assert op.count("/jwks") == 2


async def test_a_provider_whose_documents_are_gone_still_signs_in_and_the_log_says_so() -> None:
    clock = Clock()
    with tempfile.TemporaryFile() as file:
        log = Log(file.fileno(), strict=True)
        async with running_op() as op, federation(clock, log) as made:
            await sign_in(made, op)
            op.failing = {DISCOVERY, "/jwks"}
            clock.now += 86400
            assert (await sign_in(made, op))[0].subject == "f7d3c4a0"
        log.close()
        file.seek(0)
        lines = [json.loads(line) for line in file]
    assert {line["event"] for line in lines} == {"provider.stale"}
    assert {line["detail"] for line in lines} == {
        f'discovery document of "{op.issuer}": status 503',
        "key set: status 503",
    }
    assert {line["provider"] for line in lines} == {"metropole"}


async def test_keys_that_could_not_be_fetched_for_a_day_verify_nothing() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        await sign_in(made, op)
        op.failing = {"/jwks"}
        clock.now += 86401
        with pytest.raises(GatewayError) as refused:
            await sign_in(made, op)
        assert refused.value.code is login_codes.PROVIDER_UNREACHABLE
        op.failing = set()
        clock.now += 4
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"


async def test_a_refresh_token_is_not_used_up_for_what_nobody_could_verify() -> None:
    """A worker that has just begun has no keys yet: what came for the token would be thrown away with the newer one."""
    async with running_op() as op, federation() as made:
        op.failing = {"/jwks"}
        assert (await refused_refresh(made, op)).code is login_codes.PROVIDER_UNREACHABLE
        assert op.forms == []


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_hundred_sign_ins_at_once_fetch_each_document_once() -> None:
    async with running_op() as op, federation() as made:
        op.delay = 0.02
        results = await asyncio.gather(*(sign_in(made, op) for _ in range(100)))
        assert len(results) == 100
        assert (op.count(DISCOVERY), op.count("/jwks"), op.count("/token")) == (1, 1, 100)


async def test_a_token_endpoint_that_is_silent_is_left_alone_and_nobody_else_is() -> None:
    """Its users are told at once; the provider is asked again after a pause."""
    clock = Clock()
    async with raw_server(b"") as closing, running_op() as op, running_op() as other, federation(clock) as made:
        await sign_in(made, op)
        op.metadata["token_endpoint"] = closing.url
        clock.now += 86400
        await left_alone(made, op)
        asked = closing.connections
        of = replace(other.provider, name="departement")
        login = replace(LOGIN, provider="departement")
        code = process_authorization_response(
            of, await made.metadata(of), login, [("code", "abc"), ("iss", other.issuer)]
        )
        assert (await made.sign_in(of, code, login, NOW))[0].subject == "f7d3c4a0"
        clock.now += 10
        await refusal(made, op)
        assert closing.connections > asked


async def left_alone(made: Federation, op: Op) -> None:
    """Until its users are told without its being asked."""
    async with asyncio.timeout(PATIENCE):
        while not (error := await refusal(made, op)).detail.startswith("not called"):
            assert error.code is login_codes.PROVIDER_UNREACHABLE
            await asyncio.sleep(0.01)


async def test_a_code_that_makes_a_provider_hang_up_is_no_failure_of_the_provider() -> None:
    """OC12: three strangers with such codes would have shut everybody out of this worker's sign-ins."""
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.odd = {"odd": 0}
        for _ in range(4):
            assert (await refusal(made, op, "odd")).code is login_codes.PROVIDER_UNREACHABLE
            await until(lambda: not made._errands)
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"


@pytest.mark.parametrize(("path", "asked"), [("/userinfo", refusal), ("/token", refused_refresh)])
async def test_an_account_that_makes_a_provider_hang_up_is_no_failure_of_the_provider(
    path: str, asked: Callable[[Federation, Op], Awaitable[GatewayError]]
) -> None:
    """OC12: three calls with its token at once would have shut everybody out of this worker's."""
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.breaks, op.delay = path, 0.2
        at_once = await asyncio.gather(*(asked(made, op) for _ in range(4)))
        assert {error.code for error in at_once} == {login_codes.PROVIDER_UNREACHABLE}
        await until(lambda: not made._errands)
        op.breaks, op.delay = "", 0.0
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"


async def test_a_code_that_is_refused_is_an_answer() -> None:
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.odd = {"odd": 400, "worse": 500}
        for code in ("odd", "worse") * 3:
            await refusal(made, op, code)
        assert made._circuits["metropole"]._failures == 0
        assert (await sign_in(made, op))[0].subject == "f7d3c4a0"


async def test_one_that_answers_503_once_is_marked_where_people_choose() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        op.failing = {DISCOVERY}
        assert (await refusal(made, op)).code is login_codes.PROVIDER_UNREACHABLE
        assert made.is_silent(op.provider)
        op.failing = set()
        clock.now += 4
        await sign_in(made, op)
        assert not made.is_silent(op.provider)


async def test_one_that_looks_have_found_back_is_marked_and_left_alone_no_more() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        op.failing = {DISCOVERY}
        await refusal(made, op)
        for _ in range(FAILURES):
            # As calls do at which nothing is answered.
            made._circuits["metropole"].failed()
        clock.now += 4
        op.failing = set()
        assert (await refusal(made, op)).detail.startswith("not called")
        assert made.is_silent(op.provider)
        clock.now += 4
        made.is_back("metropole")
        made.is_back("nobody")
        assert not made.is_silent(op.provider)
        await sign_in(made, op)


async def test_a_code_that_makes_a_provider_say_503_marks_it_for_nobody() -> None:
    """What a stranger sent is followed by a look that carries nothing of theirs: that one counts."""
    async with running_op() as op, federation() as made:
        await sign_in(made, op)
        op.odd, marked = {"odd": 503}, list[bool]()
        op.before = lambda path: marked.append(made.is_silent(op.provider))
        await refusal(made, op, "odd")
        await until(lambda: not made._errands)
        assert marked == [False, False], "also by the time of the look"
        assert not made.is_silent(op.provider)
        op.failing = {"/token"}
        await refusal(made, op)
        await until(lambda: not made._errands)
        assert made.is_silent(op.provider)


async def test_providers_that_are_down_delay_only_their_own() -> None:
    async with raw_server(b"", repeat=1000, pause=10) as silent, running_op() as op, federation() as made:
        down = [
            provider(name=f"down-{number}", issuer=silent.url.rstrip("/"), development=True) for number in range(20)
        ]
        waiting = [asyncio.create_task(made.metadata(of)) for of in down]
        await until(lambda: silent.connections)
        await sign_in(made, op)
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_provider_that_just_failed_is_not_asked_by_each_of_its_users() -> None:
    clock = Clock()
    async with running_op() as op, federation(clock) as made:
        op.failing = {DISCOVERY}
        for _ in range(10):
            assert (await refusal(made, op)).code is login_codes.PROVIDER_UNREACHABLE
        assert op.count(DISCOVERY) == 1
        op.failing = set()
        clock.now += 3
        await sign_in(made, op)


# --- what a provider file says ----------------------------------------------------------------------------------------


async def test_outside_development_http_is_not_spoken() -> None:
    async with running_op() as op, federation() as made:
        with pytest.raises(GatewayError) as refused:
            await made.metadata(replace(op.provider, development=False))
        assert refused.value.code is oidc_codes.DISCOVERY_ENDPOINT
        assert op.asked == []


async def test_outside_development_a_provider_is_on_the_public_network_unless_the_file_says_otherwise() -> None:
    async with running_op() as op, federation() as made:
        https = provider(issuer=f"https://op.localhost:{op.port}")
        with pytest.raises(GatewayError) as refused:
            await made.metadata(https)
        assert refused.value.code is oidc_codes.ADDRESS
        with pytest.raises(GatewayError) as refused:
            await made.metadata(replace(https, private_addresses=True))
        assert refused.value.code is login_codes.PROVIDER_UNREACHABLE
        assert op.asked == []


async def test_a_file_that_changed_is_asked_anew_and_one_that_did_not_is_not() -> None:
    async with running_op() as a, running_op() as b, federation() as made:
        assert (await made.metadata(a.provider)).issuer == a.issuer
        assert (await made.metadata(replace(a.provider, label="Other"))).issuer == a.issuer
        assert a.count(DISCOVERY) == 1
        assert (await made.metadata(b.provider)).issuer == b.issuer


async def test_closing_twice_is_closing() -> None:
    async with running_op() as op:
        made = Federation()
        await made.metadata(op.provider)
        await made.close()
        await made.close()
