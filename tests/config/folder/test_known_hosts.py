from gateway.config.folder.known_hosts import decode_hosts, encode_hosts


def test_what_is_written_is_read_again() -> None:
    hosts = {"apps/b.yaml": ("*.b.example", "b.example"), "apps/a/\u00e9.yaml": ("a.example",)}
    assert decode_hosts(encode_hosts(hosts)) == hosts


def test_what_is_no_such_file_says_nothing() -> None:
    for content in (b"", b"{", b"[]", b'{"a": 1}', b'{"a": [1]}', b"\xff", b'{"a": "b"}', b"null"):
        assert decode_hosts(content) == {}
