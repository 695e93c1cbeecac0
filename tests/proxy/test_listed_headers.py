"""Headers of clients that a file lists by name (invariant 3): these names alone, and none that says who is calling."""

import pytest

from gateway.model.names import fold
from gateway.wire.headers import HeaderPolicy, may_be_listed
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

LISTED = "client_headers: [app_token, X-Auth-Token, X_Api_Version]"


async def test_what_is_listed_goes_on_and_nothing_else_does() -> None:
    async with application() as behind, gateway(behind, app=LISTED) as gate:
        for line in (b"app_token: 1", b"APP_TOKEN: 1", b"X-Auth-Token: s", b"x_api_version: 2"):
            assert (await gate.once(ask(b"GET /public/a", line))).status == 200
            assert b"\r\n" + line + b"\r\n" in behind.requests.pop()
        for line in (
            b"app-tok_en: 1", b"appto_ken: 1", b"X-Auth_Token: s", b"X_Auth_Token: s", b"X-Auth-Key: s",
            b"X-Auth-User: root", b"X_Remote_User: root", b"x_remote-user: root", b"api_version: 2",
        ):  # fmt: skip
            assert (await gate.once(ask(b"GET /public/a", line))).status == 200
            assert line.partition(b":")[0].lower() not in behind.requests.pop().lower(), line


async def test_without_the_list_none_of_it_goes_on() -> None:
    async with application() as behind, gateway(behind) as gate:
        for line in (b"app_token: 1", b"X-Auth-Token: s"):
            assert (await gate.once(ask(b"GET /public/a", line))).status == 200
            assert line not in behind.requests.pop()


@pytest.mark.parametrize(
    "name",
    [
        b"app_token",
        b"X_Api_Version",
        b"_x",
        b"X-Auth-Token",
        b"x-auth-key",
        b"X-Access-Token",
        b"a_b-c",
        b"X-User-Id",
        b"x-user-email",
        b"X-Hasura-Role",
        b"X-Scope-OrgID",
    ],
)
def test_names_that_a_file_may_list(name: bytes) -> None:
    assert may_be_listed(name)


@pytest.mark.parametrize(
    "name",
    [b"App-Token", b"REMOTE_USER", b"Remote_User", b"X_Forwarded_For", b"X-Forwarded_For", b"Content_Length", b"Host_",
     b"Transfer_Encoding", b"X_HTTP_Method_Override", b"X_Auth_Token", b"X-Auth-User", b"X_Auth_Request_Email",
     b"SM_USER", b"OIDC_CLAIM_sub", b"MELLON_x", b"Ecluse_x", b"X_Ecluse_x", b"Depth_", b"If_", b"Cookie_",
     b"X_Real_IP",
     b"Connection_", b"Proxy_", b"X_Script_Name", b"SSL_CLIENT_VERIFY", b"X_Request_Id", b"Authorization_"],
)  # fmt: skip
def test_names_that_none_may(name: bytes) -> None:
    assert not may_be_listed(name)


def test_what_is_injected_is_dropped_whatever_is_listed() -> None:
    policy = HeaderPolicy.compile(frozenset({fold(b"App-Token")}), frozenset({b"app_token"}))
    assert policy.learn(b"app_token") is None
