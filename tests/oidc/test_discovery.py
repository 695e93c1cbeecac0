from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import ClientCertificate
from gateway.oidc.discovery import discovery_document, discovery_request, process_discovery_response, require_endpoint
from gateway.oidc.documents import ProviderResponse
from tests.oidc.samples import ISSUER, METADATA, PROVIDER, json_answer, outcome, provider


def document(**changes: object) -> dict[str, object]:
    good = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/jwks",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
        "authorization_response_iss_parameter_supported": True,
        "response_types_supported": ["code"],
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("issuer", "url"),
    [
        ("https://op.example", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/", "https://op.example/.well-known/openid-configuration"),
        ("https://op.example/api/v2", "https://op.example/api/v2/.well-known/openid-configuration"),
        ("https://op.example/api/v2/", "https://op.example/api/v2/.well-known/openid-configuration"),
    ],
)
def test_the_document_is_asked_below_the_issuer(issuer: str, url: str) -> None:
    call = discovery_request(provider(issuer=issuer))
    assert (call.method, call.url, call.body) == ("GET", url, b"")


@pytest.mark.parametrize("issuer", ["http://op.example", "file:///op", "https://op.example/#x", "https://u@op.example"])
def test_an_issuer_that_is_no_https_url_is_never_asked(issuer: str) -> None:
    with pytest.raises(GatewayError) as refused:
        discovery_request(provider(issuer=issuer))
    assert refused.value.code is oidc_codes.DISCOVERY_ENDPOINT


def test_a_good_document_is_read() -> None:
    assert process_discovery_response(PROVIDER, json_answer(document())) == METADATA


def test_a_pushed_request_has_its_endpoint() -> None:
    answer = json_answer(document(pushed_authorization_request_endpoint=f"{ISSUER}/par"))
    assert process_discovery_response(PROVIDER, answer).pushed_authorization_request_endpoint == f"{ISSUER}/par"


def test_without_the_optional_members() -> None:
    answer = json_answer(document(userinfo_endpoint=None, authorization_response_iss_parameter_supported=None))
    expected = replace(METADATA, userinfo_endpoint=None, authorization_response_iss_parameter_supported=False)
    assert process_discovery_response(PROVIDER, answer) == expected


@pytest.mark.parametrize(
    "issuer",
    [None, "https://evil.example", ISSUER + "/", ISSUER.upper(), ISSUER + "/.", "", 1, [ISSUER], {"issuer": ISSUER}],
)
def test_the_issuer_is_exactly_the_one_asked(issuer: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(PROVIDER, json_answer(document(issuer=issuer)))
    assert refused.value.code is oidc_codes.DISCOVERY_ISSUER
    assert ISSUER in refused.value.detail


ALIASES = {"token_endpoint": "https://mtls.example/token", "userinfo_endpoint": "https://mtls.example/userinfo"}


def test_a_provider_that_knows_us_by_our_certificate_is_called_at_the_aliases_for_that() -> None:
    answer = json_answer(
        document(mtls_endpoint_aliases={**ALIASES, "authorization_endpoint": "https://other.example/"})
    )
    of = provider(client_certificate=ClientCertificate(b"", b""))
    assert process_discovery_response(of, answer) == replace(METADATA, **ALIASES)
    assert process_discovery_response(PROVIDER, answer) == METADATA


@pytest.mark.parametrize(
    ("aliases", "code"),
    [
        ("https://mtls.example/", oidc_codes.DISCOVERY),
        ({"token_endpoint": "http://mtls.example/token"}, oidc_codes.DISCOVERY_ENDPOINT),
    ],
)
def test_aliases_are_held_to_the_same(aliases: object, code: object) -> None:
    of = provider(client_certificate=ClientCertificate(b"", b""))
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(of, json_answer(document(mtls_endpoint_aliases=aliases)))
    assert refused.value.code is code


@pytest.mark.parametrize(
    "member",
    [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "pushed_authorization_request_endpoint",
    ],
)
@pytest.mark.parametrize("url", ["http://op.metropole.example/x", "file:///etc/passwd", "", 5, "https://a@b/"])
def test_every_endpoint_is_an_https_url(member: str, url: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(PROVIDER, json_answer(document(**{member: url})))
    assert refused.value.code is oidc_codes.DISCOVERY_ENDPOINT
    assert member in refused.value.detail


@pytest.mark.parametrize("member", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_the_endpoints_of_the_code_flow_are_required(member: str) -> None:
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(PROVIDER, json_answer(document(**{member: None})))
    assert refused.value.code is oidc_codes.DISCOVERY_ENDPOINT


@pytest.mark.parametrize("announced", ["true", 1, [], {}])
def test_whether_iss_is_sent_is_true_or_false(announced: object) -> None:
    answer = json_answer(document(authorization_response_iss_parameter_supported=announced))
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(PROVIDER, answer)
    assert refused.value.code is oidc_codes.DISCOVERY


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (json_answer(document(), content_type="text/html"), oidc_codes.DISCOVERY),
        (json_answer(document(), content_type=""), oidc_codes.DISCOVERY),
        (json_answer(document(), status=404), oidc_codes.DISCOVERY),
        (json_answer(document(), status=302), oidc_codes.DISCOVERY),
        (json_answer(document(), status=503), login_codes.PROVIDER_UNREACHABLE),
        (json_answer(b"<html>"), oidc_codes.DISCOVERY),
        (json_answer(b'{"issuer": "a", "issuer": "%s"}' % ISSUER.encode()), oidc_codes.DISCOVERY),
    ],
)
def test_an_answer_that_is_no_document_is_refused(answer: ProviderResponse, code: object) -> None:
    with pytest.raises(GatewayError) as refused:
        process_discovery_response(PROVIDER, answer)
    assert refused.value.code is code


@given(st.dictionaries(st.sampled_from(sorted(document())), st.text() | st.integers() | st.booleans() | st.none()))
def test_any_members_are_metadata_or_a_gateway_error(changes: dict[str, object]) -> None:
    answer = json_answer({**document(), **changes})
    assert outcome(lambda: process_discovery_response(PROVIDER, answer)) in (
        "",
        "oidc.discovery",
        "oidc.discovery.endpoint",
        "oidc.discovery.issuer",
    )


def required(value: object, development: bool = False) -> str:
    return require_endpoint(value, development=development, code=oidc_codes.DISCOVERY_ENDPOINT, what="token_endpoint")


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
    assert required(url) == url


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
        required(url)
    assert refused.value.code is oidc_codes.DISCOVERY_ENDPOINT
    assert refused.value.detail.startswith("token_endpoint: ")
    assert why in refused.value.detail


def test_http_is_for_development_only() -> None:
    assert required("http://127.0.0.1:9400/token", development=True) == "http://127.0.0.1:9400/token"
    with pytest.raises(GatewayError):
        required("ftp://127.0.0.1/token", development=True)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: f"https://{rest}"))
def test_any_text_is_a_url_or_a_gateway_error(text: str) -> None:
    code = outcome(lambda: required(text))
    assert code == "oidc.discovery.endpoint" or (code == "" and text.startswith("https://"))


def test_one_address_may_be_of_two_issuers_and_of_no_third() -> None:
    issuers = (ISSUER, f"{ISSUER}/")
    for issuer in issuers:
        assert discovery_document(json_answer(document(issuer=issuer)), issuers)["issuer"] == issuer
    with pytest.raises(GatewayError, match=f'issuer "{ISSUER}/x", not "{ISSUER}"') as refused:
        discovery_document(json_answer(document(issuer=f"{ISSUER}/x")), issuers)
    assert refused.value.code is oidc_codes.DISCOVERY_ISSUER
