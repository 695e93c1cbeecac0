from gateway.config.folder.files import APPS, PROVIDERS, TESTS, Files, decode_hosts, encode_hosts, is_app


def test_which_file_is_what() -> None:
    paths = [
        "gateway.yaml",
        "providers/a.yaml",
        "apps/a.yaml",
        "apps/team/a.yaml",
        "apps/a.yml",
        "tests/a.yaml",
        "apps.yaml",
    ]
    kinds = Files("policies", "/srv/policies", dict.fromkeys(paths, b"")).by_kind()
    assert kinds[PROVIDERS] == ["providers/a.yaml"]
    assert kinds[APPS] == ["apps/a.yaml", "apps/team/a.yaml"]
    assert kinds[TESTS] == ["tests/a.yaml"]
    assert [path for path in paths if is_app(path)] == ["apps/a.yaml", "apps/team/a.yaml"]


def test_a_path_is_shown_below_the_folder_as_it_was_given() -> None:
    assert Files("../policies", "/srv/policies", {}).shown("apps/a.yaml") == "../policies/apps/a.yaml"


def test_hosts_that_were_written_are_read_again() -> None:
    hosts = {"apps/b.yaml": ("*.b.example", "b.example"), "apps/a/\u00e9.yaml": ("a.example",)}
    assert decode_hosts(encode_hosts(hosts)) == hosts


def test_what_is_no_file_of_hosts_says_nothing() -> None:
    for content in (b"", b"{", b"[]", b'{"a": 1}', b'{"a": [1]}', b"\xff", b'{"a": "b"}', b"null"):
        assert decode_hosts(content) == {}
