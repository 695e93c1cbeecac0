from gateway.config.folder.known_hosts import decode_hosts, encode_hosts, hosts_of_plan
from tests.config.samples import PERMIS, sample_plan


def test_a_plan_tells_the_hosts_of_each_app_file_and_none_of_shadows() -> None:
    plan = sample_plan({"apps/next.yaml": PERMIS.replace("app: permis", "shadow: true\napp: permis")})
    assert hosts_of_plan(plan) == {"apps/permis.yaml": ("permis.localhost",)}


def test_what_is_written_is_read_again() -> None:
    hosts = {"apps/b.yaml": ("*.b.example", "b.example"), "apps/a/\u00e9.yaml": ("a.example",)}
    assert decode_hosts(encode_hosts(hosts)) == hosts


def test_what_is_no_such_file_says_nothing() -> None:
    for content in (b"", b"{", b"[]", b'{"a": 1}', b'{"a": [1]}', b"\xff", b'{"a": "b"}', b"null"):
        assert decode_hosts(content) == {}
