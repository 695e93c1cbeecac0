"""HS02, issue of the editor that sends each DELETE as a POST: which method rules are asked about."""

import pytest

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.wire.method_override import judged_method


@pytest.mark.parametrize(
    "query",
    [
        b"", b"a=b", b"method=DELETE", b"my_method=DELETE", b"_methods=DELETE", b"x=_method", b"a=%5B%7D&b=%41",
        b"_method=", b"_method", b"_method=POST", b"_method=post&_method=POST", b"_method=list", b"_method=%c3%a9",
        b"_method[=", b"x%5b_method%5d=DELETE",
    ],
)  # fmt: skip
@pytest.mark.parametrize("taken", [False, True])
def test_what_names_no_other_method_is_judged_as_itself(query: bytes, taken: bool) -> None:
    assert judged_method(b"POST", query, taken=taken) == b"POST"
    assert judged_method(b"POST", query, b"post", taken=taken) == b"POST"
    assert judged_method(b"POST", query, b" ", b"", taken=taken) == b"POST"


def test_a_head_is_a_get() -> None:
    assert judged_method(b"HEAD", b"_method=GET", b"get", taken=False) == b"HEAD"


@pytest.mark.parametrize(
    "query",
    [
        b"_method=DELETE", b"a=b&_method=delete", b"a=b;_method=DELETE", b"_METHOD=DELETE", b"%5fmethod=DELETE",
        b"_%6dethod=DELETE", b"_method=%44ELETE", b"_method=+DELETE+", b".method=DELETE", b"+_method=DELETE",
        b"_method%00x=DELETE", b"_method[]=DELETE", b"_method%5b0%5d=DELETE", b"X-HTTP-Method-Override=DELETE",
        b"x-http-method=DELETE", b"_method=DELETE&_method=delete",
        # ASP and ASP.NET decode these too.
        b"_%u006dethod=DELETE", b"_method=%u0044ELETE", b"X-HTTP-%U004dethod-Override=DELETE", b"%u005fm%65thod=DELETE",
        # Catalyst.
        b"x-tunneled-method=DELETE",
        # qs (Express), Rack 2, Spring.
        b"[_method]=DELETE", b"%5B_method%5D=DELETE", b"_method]=DELETE", b"!_method=DELETE",
    ],
)  # fmt: skip
def test_a_query_names_one(query: bytes) -> None:
    assert judged_method(b"POST", query, taken=True) == b"DELETE"
    with pytest.raises(GatewayError) as caught:
        judged_method(b"POST", query, taken=False)
    assert caught.value.code is wire_codes.METHOD_OVERRIDE
    assert "method_override: true" in caught.value.detail


@pytest.mark.parametrize("named", [b"PUT", b"PATCH", b"DELETE", b"delete", b" Put "])
def test_a_header_names_one(named: bytes) -> None:
    assert judged_method(b"POST", b"a=b", named, taken=True) == named.strip().upper()
    assert judged_method(b"POST", b"_method=" + named.strip(), named, taken=True) == named.strip().upper()
    with pytest.raises(GatewayError):
        judged_method(b"POST", b"", named, taken=False)


@pytest.mark.parametrize(
    ("method", "query", "header", "other"),
    [
        # Which of two counts, servers do not agree.
        (b"POST", b"_method=PUT", b"DELETE", b""),
        (b"POST", b"_method=PUT&_method=DELETE", b"", b""),
        (b"POST", b"", b"PUT, DELETE", b""),
        (b"POST", b"", b"DELETE", b"PUT"),
        # In a spelling that only some server reads, and that goes no further.
        (b"POST", b"", b"", b"DELETE"),
        (b"POST", b"", b"DELETE", b"DELETE"),
        # An application that heeds it in a POST alone would do what was not judged.
        (b"POST", b"", b"GET", b""),
        (b"POST", b"", b"TRACE", b""),
        (b"POST", b"_method=PROPFIND", b"", b""),
        (b"POST", b"", b"<script>", b""),
        (b"GET", b"", b"DELETE", b""),
        (b"GET", b"_method=DELETE", b"", b""),
        (b"PUT", b"", b"DELETE", b""),
        (b"DELETE", b"", b"POST", b""),
    ],
)
def test_what_could_be_another_operation_is_refused_also_where_it_is_taken(
    method: bytes, query: bytes, header: bytes, other: bytes
) -> None:
    for taken in (False, True):
        with pytest.raises(GatewayError) as caught:
            judged_method(method, query, header, other, taken=taken)
        assert caught.value.code is wire_codes.METHOD_OVERRIDE
