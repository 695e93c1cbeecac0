import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.oidc.documents import (
    LARGEST_DOCUMENT,
    Call,
    ProviderResponse,
    parse_object,
    require_success,
    response_object,
    told_of,
    told_of_call,
)
from tests.oidc.samples import outcome


def test_what_is_logged_of_a_call_holds_no_secret() -> None:
    call = Call(
        "token answer", "POST", "https://op.example/token", (("Authorization", "Basic s3cret"),), b"code=s3cret"
    )
    assert "s3cret" not in repr(call)
    assert "https://op.example/token" in repr(call)


def test_what_is_logged_of_an_answer_holds_no_token() -> None:
    assert "s3cret" not in repr(ProviderResponse(200, "application/json", b'{"access_token": "s3cret"}'))


CODE, SECRET = "c0de-of-this-sign-in", "s3cret:%+é of ours"
FORM = urlencode({"grant_type": "authorization_code", "code": CODE, "client_secret": SECRET}).encode()
BASIC = base64.b64encode(f"ecluse:{quote_plus(SECRET)}".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "body"),
    [((), FORM), ((("Authorization", f"Basic {BASIC}"),), FORM.partition(b"&client_secret")[0])],
)
@pytest.mark.parametrize("echoed", [CODE, SECRET, quote_plus(SECRET), quote(SECRET, safe=""), FORM.decode()])
def test_what_a_provider_echoes_of_a_call_is_not_told(
    headers: tuple[tuple[str, str], ...], body: bytes, echoed: str
) -> None:
    call = Call("token answer", "POST", "https://op.example/token", headers, body)
    # Also where a text is cut at the end of it.
    for before in ("no such thing: ", "x" * 190):
        told = told_of(ProviderResponse(400, "application/json", b"", call=call), before + echoed)
        assert told == told_of_call(call, before + echoed)
        assert before in told
        for carried in (CODE, SECRET, quote_plus(SECRET)):
            assert carried[:7] not in told
    assert BASIC not in told_of_call(call, f"Basic {BASIC}") or not headers


def test_a_token_that_a_provider_echoes_is_not_told() -> None:
    call = Call("userinfo answer", "GET", "https://op.example/me", (("Authorization", "Bearer t0ken-of-hers"),))
    assert told_of_call(call, "unknown: t0ken-of-hers") == '"unknown: (not shown)"'
    assert told_of_call(None, "unknown") == '"unknown"'
    assert told_of_call(call, 7) == '"int"'


def test_an_object_is_read() -> None:
    text = '{"nom": "Lebœuf", "n": [1, 2.5, null, true], "o": {"a": {}}, "pair": "\\ud83d\\ude00"}'
    assert parse_object(text.encode(), oidc_codes.TOKEN, "it") == {
        "nom": "Lebœuf",
        "n": [1, 2.5, None, True],
        "o": {"a": {}},
        "pair": "😀",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not plain JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"{}"', "not a JSON object"),
        (b'{"a": 1} {}', "not plain JSON"),
        (b"\xef\xbb\xbf{}", "not plain JSON"),
        (b'{"a": "\xff"}', "not plain JSON"),
        (b'{"a": "\xc0\xaf"}', "not plain JSON"),
        ('{"a": 1}'.encode("utf-16"), "not plain JSON"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": -Infinity}', "-Infinity is no JSON"),
        (b'{"a": 1e999}', "a number is out of range"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not plain JSON"),
        (b'{"sub": "a", "sub": "b"}', "an object has one member twice"),
        (b'{"sub": "a", "\\u0073ub": "b"}', "an object has one member twice"),
        (b'{"o": [{"x": 1, "x": 1}]}', "an object has one member twice"),
        (b'{"a": "\\ud800"}', "not plain JSON"),
        (b'{"\\udfff": 1}', "not plain JSON"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 25_000, "nested too deeply"),
        (b'{"a": "' + b"x" * LARGEST_DOCUMENT + b'"}', "131081 bytes, at most 131072 are read"),
        (b"{'a': 1}", "not plain JSON"),
        (b'{"a": 1,}', "not plain JSON"),
        (b'{"a": "\n"}', "not plain JSON"),
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(GatewayError) as refused:
        parse_object(text, oidc_codes.TOKEN, "it")
    assert refused.value.code is oidc_codes.TOKEN
    assert why in refused.value.detail


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_an_object_or_a_gateway_error(text: bytes) -> None:
    assert outcome(lambda: parse_object(text, oidc_codes.TOKEN, "it")) in ("", "oidc.token")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), _JSON, max_size=4), st.booleans())
def test_every_object_that_json_can_say_is_read_back(value: dict[str, object], ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert parse_object(text, oidc_codes.TOKEN, "it") == value


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (201, oidc_codes.TOKEN, "status 201"),
        (204, oidc_codes.TOKEN, "status 204"),
        (301, oidc_codes.TOKEN, "a redirect is not followed"),
        (307, oidc_codes.TOKEN, "a redirect is not followed"),
        (404, oidc_codes.TOKEN, "status 404"),
        (429, login_codes.PROVIDER_UNREACHABLE, "status 429"),
        (500, login_codes.PROVIDER_UNREACHABLE, "status 500"),
        (503, login_codes.PROVIDER_UNREACHABLE, "status 503"),
    ],
)
def test_only_status_200_is_a_success(status: int, code: object, why: str) -> None:
    with pytest.raises(GatewayError) as refused:
        require_success(ProviderResponse(status, "application/json", b"{}"), oidc_codes.TOKEN, "it")
    assert refused.value.code is code
    assert why in refused.value.detail


def test_an_answer_of_another_media_type_is_refused() -> None:
    with pytest.raises(GatewayError) as refused:
        response_object(ProviderResponse(200, "text/html", b"{}"), oidc_codes.USERINFO, "it", ("application/json",))
    assert refused.value.code is oidc_codes.USERINFO
    assert refused.value.detail == 'it: content type "text/html", not application/json'


def test_a_strangers_text_is_bounded_and_prints() -> None:
    assert quoted("accès refusé") == '"accès refusé"'
    assert quoted("a\r\nSet-Cookie: x\x1b[31m\u202e\u200b\x00\x85") == '"a??Set-Cookie: x?[31m????"'
    assert quoted("x" * 100_000) == '"' + "x" * 200 + '..." (100000 characters)'
    assert quoted(12) == '"int"'
    assert quoted({"sub": "helene"}) == '"dict"'


@given(st.text())
def test_no_control_character_reaches_the_log(text: str) -> None:
    assert quoted(text).isprintable()
