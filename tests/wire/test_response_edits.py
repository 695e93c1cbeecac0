from gateway.wire.headers import EDITED, SET_COOKIE, TRANSPORT_SECURITY
from gateway.wire.response_edits import BANNERS, UNCHANGED, ApplicationEdits, HostEdits, ResponseEdits

PUBLIC = "https://app.example"


def edited(edits: ResponseEdits, *lines: tuple[bytes, bytes], public: str = PUBLIC) -> tuple[list[bytes], bytes]:
    """Header lines after the edits, and what comes behind them."""
    verdicts = {b"set-cookie": SET_COOKIE, b"strict-transport-security": TRANSPORT_SECURITY}
    pieces = [piece for name, value in lines for piece in (b"\r\n%b: " % name, value)]
    rare = [(place, verdicts.get(name.lower(), EDITED)) for place, (name, _) in enumerate(lines)]
    added = HostEdits(edits, public).apply(rare, pieces)
    return [b"".join(pieces[at : at + 2]) for at in range(0, len(pieces), 2)], added


def test_nothing_is_read_where_the_file_says_nothing() -> None:
    assert UNCHANGED.names == frozenset()
    assert not UNCHANGED.adds


def test_the_names_that_are_read() -> None:
    assert ResponseEdits(addresses=True).names == {b"location", b"content-location", b"refresh", b"link", b"set-cookie"}
    assert ResponseEdits(banners=False).names == BANNERS
    edits = ResponseEdits(added=(("X-Frame-Options", "DENY"),), replaced=(("Referrer-Policy", "no-referrer"),))
    assert edits.names == {b"x-frame-options", b"referrer-policy"}
    assert edits.adds


def test_the_application_s_own_port_behind_its_public_name() -> None:
    edits = ResponseEdits(addresses=True, kept_port=8080)
    for address in (b"http://app.example:8080", b"https://app.example:8080", b"http://app.example"):
        assert edited(edits, (b"Location", address)) == ([b"\r\nLocation: https://app.example"], b"")
    # Where browsers use http, it sends them to https on purpose.
    upgraded = (b"Location", b"https://app.example")
    assert edited(edits, upgraded, public="http://app.example") == ([b"\r\nLocation: https://app.example"], b"")
    assert edited(ResponseEdits(addresses=True, kept_port=80), (b"Location", b"http://app.example/"))[0] == [
        b"\r\nLocation: https://app.example/"
    ]


def test_a_line_that_is_gone_already_counts_as_none() -> None:
    edits = ResponseEdits(added=(("Strict-Transport-Security", "max-age=1000"),))
    pieces = [b"", b""]
    assert HostEdits(edits, PUBLIC).apply([(0, TRANSPORT_SECURITY)], pieces) == (
        b"\r\nStrict-Transport-Security: max-age=1000"
    )
    assert edited(edits, (b"strict-transport-security", b"max-age=9999")) == (
        [b"\r\nstrict-transport-security: max-age=9999"], b"",
    )  # fmt: skip


def test_each_host_is_made_ready_once() -> None:
    edits = ApplicationEdits(ResponseEdits(addresses=True))
    assert edits.of(PUBLIC) is edits.of(PUBLIC)
    assert edits.of(PUBLIC) is not edits.of("https://other.example")
    for number in range(1000):
        edits.of(f"https://h{number}.example")
    assert len(edits._by_public) <= 256
