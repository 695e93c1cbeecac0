import base64
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import SAML_BINDING_ENCODING, SAML_BINDING_SIZE, Code
from gateway.model.errors import GatewayError
from gateway.saml.encoding import LARGEST_MESSAGE, base64_decoded, deflated, inflated


def raw_deflate(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


@given(st.binary(max_size=2000))
def test_what_was_deflated_is_inflated(data: bytes) -> None:
    assert inflated(deflated(data)) == data


def test_inflating_ends_at_the_limit() -> None:
    assert len(inflated(raw_deflate(b"a" * LARGEST_MESSAGE))) == LARGEST_MESSAGE
    bomb = raw_deflate(bytes(100 << 20))
    tracemalloc.start()
    with pytest.raises(GatewayError) as refused:
        inflated(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.code == SAML_BINDING_SIZE
    assert peak < 2 << 20


@pytest.mark.parametrize(
    "data",
    [b"", b"<xml/>", zlib.compress(b"with a header"), raw_deflate(b"a")[:-1], raw_deflate(b"a") + b"x"],
)
def test_what_is_no_whole_stream(data: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        inflated(data)
    assert refused.value.code == SAML_BINDING_ENCODING


@pytest.mark.parametrize("text", [b"YWI=", b"YW\r\nI=", b" YWI=\n", b"Y W\tI ="])
def test_base64_with_its_lines_broken_or_not(text: bytes) -> None:
    assert base64_decoded(text) == b"ab"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"YWI", SAML_BINDING_ENCODING),
        (b"YWI*", SAML_BINDING_ENCODING),
        (b"YW-_", SAML_BINDING_ENCODING),
        (b"YWI=YWI=", SAML_BINDING_ENCODING),
        ("YWI\u0451".encode(), SAML_BINDING_ENCODING),
        (b"!" * (20 << 20), SAML_BINDING_SIZE),
        (base64.b64encode(bytes(LARGEST_MESSAGE + 1)), SAML_BINDING_SIZE),
    ],
)
def test_what_is_no_base64_or_too_much(text: bytes, code: Code) -> None:
    with pytest.raises(GatewayError) as refused:
        base64_decoded(text)
    assert refused.value.code == code
