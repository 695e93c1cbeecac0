import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import OIDC_DISCOVERY_ENDPOINT
from gateway.model.errors import GatewayError
from gateway.oidc.endpoints import require_endpoint
from tests.oidc.samples import outcome


def check(value: object, development: bool = False) -> str:
    return require_endpoint(value, development=development, code=OIDC_DISCOVERY_ENDPOINT, what="token_endpoint")


@pytest.mark.parametrize(
    "url",
    [
        "https://op.example",
        "https://op.example/",
        "https://op.example:8443/a/b?tenant=1&x=%20",
        "https://[2001:db8::1]:8443/token",
        "https://op.example?x=1",
    ],
)
def test_a_plain_https_url_is_taken_as_it_is(url: str) -> None:
    assert check(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "not a URL"),
        (["https://op.example"], "not a URL"),
        ("", "not an absolute URL"),
        ("https://op.example/" + "a" * 2048, "not a URL of at most 2048 characters"),
        ("http://op.example/token", "is not https"),
        ("//op.example/token", "not an absolute URL"),
        ("/token", "not an absolute URL"),
        ("file:///etc/passwd", "not an absolute URL"),
        ("ftp://op.example/jwks", "not an absolute URL"),
        ("gopher://op.example/", "not an absolute URL"),
        ("data:application/json,{}", "not an absolute URL"),
        ("unix:/run/op.sock", "not an absolute URL"),
        ("https://", "not an absolute URL"),
        ("https:///token", "not an absolute URL"),
        ("https://user@op.example/", "not an absolute URL"),
        ("https://user:password@op.example/", "not an absolute URL"),
        ("https://op.example\\@evil.example/", "not an absolute URL"),
        ("https://op.example#@evil.example/", "not an absolute URL"),
        ("https://op.example/token#fragment", "not an absolute URL"),
        ("https://[::1", "not an absolute URL"),
        ("https://[::1%25eth0]/", "not an absolute URL"),
        ("https://op.example:port/", "not an absolute URL"),
        ("https://op.example:123456/", "not an absolute URL"),
        ("https://op.example/a b", "not an absolute URL"),
        ("https://op.example/\n", "not an absolute URL"),
        ("https://op.example/\r\nX: 1", "not an absolute URL"),
        ("https://op.\texample/", "not an absolute URL"),
        ("https://opé.example/", "not an absolute URL"),
        ("https://op.example/é", "not an absolute URL"),
        ("https://op%2eexample/", "not an absolute URL"),
        (" https://op.example/", "not an absolute URL"),
    ],
)
def test_any_other_url_is_refused(url: object, why: str) -> None:
    with pytest.raises(GatewayError) as refused:
        check(url)
    assert refused.value.code is OIDC_DISCOVERY_ENDPOINT
    assert refused.value.detail.startswith("token_endpoint: ")
    assert why in refused.value.detail


def test_http_is_for_development_only() -> None:
    assert check("http://127.0.0.1:9400/token", development=True) == "http://127.0.0.1:9400/token"
    with pytest.raises(GatewayError):
        check("ftp://127.0.0.1/token", development=True)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: f"https://{rest}"))
def test_any_text_is_a_url_or_a_gateway_error(text: str) -> None:
    code = outcome(lambda: check(text))
    assert code == "oidc.discovery.endpoint" or (code == "" and text.startswith("https://"))
