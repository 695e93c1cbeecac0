"""PC13, PC14, K036: one spelling of a host, or a refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.wire.host import canonical_host

READ = {
    b"app.example.com": "app.example.com",
    b"APP.Example.com": "app.example.com",
    b"app.example.com.": "app.example.com",
    b"APP.example.com.:443": "app.example.com",
    b"app.example.com:80": "app.example.com",
    b"app.example.com:65535": "app.example.com",
    b"localhost": "localhost",
    b"permis.localhost:8080": "permis.localhost",
    b"a": "a",
    b"9to5.example": "9to5.example",
    b"127.0.0.1:8080": "127.0.0.1",
    b"255.0.10.199": "255.0.10.199",
    b"127.0.0.1.": "127.0.0.1",
    # A look-alike is another host: it is not in the table, and so answers to nothing.
    b"xn--pp-xmc.example.com": "xn--pp-xmc.example.com",
    b"a" * 63 + b".example": "a" * 63 + ".example",
}

REFUSED = [
    b"",
    b".",
    b"..",
    b".example.com",
    b"app..example.com",
    b"app.example.com..",
    b" app.example.com",
    b"app.example.com ",
    b"app example.com",
    b"app.example.com\t",
    b"app.example.com\n",
    b"app.example.com\0",
    b"app@evil.example",
    b"user:pw@app.example.com",
    b"app.example.com/evil",
    b"app.example.com?x",
    b"app.example.com#x",
    b"app.example.com\\evil",
    b"app.example.com,evil.example",
    b"app.example.com;evil.example",
    b"app.example.com%2eevil.example",
    b"app.example.com:",
    b"app.example.com:0443",
    b"app.example.com:+80",
    b"app.example.com:8a",
    b"app.example.com:99999",
    b"app.example.com:65536",
    b"app.example.com:80:80",
    b":80",
    b"-app.example.com",
    b"app-.example.com",
    b"app_1.example.com",
    b"*.example.com",
    b"[::1]",
    b"[::1]:8080",
    b"::1",
    # An IPv4 address in its other spellings.
    b"127.1",
    b"127.0.1",
    b"2130706433",
    b"0177.0.0.1",
    b"127.0.0.01",
    b"0x7f.0.0.1",
    b"0x7f000001",
    b"0x",
    b"1.2.3.256",
    b"1.2.3.4.5",
    b"app.example.1",
    # Not ASCII: raw UTF-8, the ideographic full stop, what NFKC would make a letter.
    "é.example".encode(),
    "app。example".encode(),
    "ⓔxample.com".encode(),
    b"caf\xe9.example",
    b"a" * 64 + b".example",
    b".".join([b"a" * 50] * 5),
    b".".join([b"a" * 49] * 6),
    b"a." * 16_000 + b"a",
]


@pytest.mark.parametrize("raw", READ, ids=repr)
def test_read(raw: bytes) -> None:
    assert canonical_host(raw) == READ[raw]


@pytest.mark.parametrize("raw", REFUSED, ids=lambda raw: repr(raw[:40]))
def test_refused(raw: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        canonical_host(raw)
    assert caught.value.code is wire_codes.HOST


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(
    st.lists(labels, min_size=1, max_size=5).map(".".join),
    st.booleans(),
    st.sampled_from(["", ":80", ":8443"]),
    st.data(),
)
def test_every_spelling_of_a_name_is_that_name(host: str, root: bool, port: str, data: st.DataObject) -> None:
    upper = data.draw(st.lists(st.booleans(), min_size=len(host), max_size=len(host)))
    spelled = "".join(letter.upper() if up else letter for letter, up in zip(host, upper, strict=True))
    assert canonical_host(f"{spelled}{'.' if root else ''}{port}".encode()) == host


@given(st.binary(max_size=40))
def test_what_is_read_is_read_again_as_itself(raw: bytes) -> None:
    try:
        host = canonical_host(raw)
    except GatewayError:
        return
    assert canonical_host(host.encode()) == host
    assert host == host.lower()


@pytest.mark.parametrize("raw", [b"app_1", b"my_app_1.internal:8080", b"_dmarc.example.com", b"App_1.EXAMPLE.com."])
def test_a_server_of_ones_own_may_have_an_underscore(raw: bytes) -> None:
    name = raw.lower().partition(b":")[0].rstrip(b".").decode()
    assert canonical_host(raw, underscore=True) == name
    with pytest.raises(GatewayError):
        canonical_host(raw)


@pytest.mark.parametrize("raw", [b"app..x", b"-a_b", b"a_b-", b"a b", b"a_b:0443", b"127.1", b"a_" * 130])
def test_and_is_held_to_the_rest(raw: bytes) -> None:
    with pytest.raises(GatewayError):
        canonical_host(raw, underscore=True)
