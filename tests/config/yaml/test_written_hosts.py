"""What an app file says of its hosts, whatever else is wrong in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.yaml.written_hosts import WrittenHosts, written_hosts
from tests.growth import is_linear

BROKEN = "upstream: [\n"
A, B, WILD = "a.example.org", "b.example.org", "*.example.org"


@pytest.mark.parametrize(
    ("text", "hosts", "whole"),
    [
        (f"hosts: [{A}, {B}]\n", (A, B), True),
        (f"hosts: [{A}, {B}]\n{BROKEN}", (A, B), True),
        (f"{BROKEN}hosts: [{A}, '*.example.org'] # both\n", (A, WILD), True),
        (f'hosts: [{A}, # the first\n  "{B}"]\n{BROKEN}', (A, B), True),
        (f"hosts:\n  - {A}\n  - {B}  # the second\n\n  # none\napp: x\n{BROKEN}", (A, B), True),
        (f"hosts:\n- {A}\napp: x\n{BROKEN}", (A,), True),
        (f"hosts:\n\t- {A}\n\t- {B}\n", (A, B), True),
        (f"\ufeffhosts: [{A}]\r\n{BROKEN}", (A,), True),
        (f'"hosts": [{A}]\n{BROKEN}', (A,), True),
        (f"hosts: {A}\n{BROKEN}", (A,), True),
        (f"hosts: [A.EXAMPLE.org.]\n{BROKEN}", (A,), True),
        (f"hosts: [{A}]\nhosts: [{B}]\n", (A, B), True),
        (f"hosts: [{A}, {B}\napp: x\n", (A, B), False),
        (f"hosts: [{A}, 'two words']\n{BROKEN}", (A,), False),
        (f"hosts: [{A}, 'two words']\n", (A,), False),
        (f"hosts:\n  - {A}\n  {B}\n{BROKEN}", (A,), False),
        (f"hosts: []\n{BROKEN}", (), False),
        (f"host: [{A}]\n{BROKEN}", (), False),
        (f"# hosts: [{A}]\n{BROKEN}", (), False),
        ("hosts: []\n", (), False),
        ("hosts: 7\n", (), False),
        ("", (), False),
    ],
)
def test_hosts_are_read_from_what_is_no_file_of_ours(text: str, hosts: tuple[str, ...], whole: bool) -> None:
    assert written_hosts(text.encode()) == WrittenHosts(hosts, whole)


def test_a_file_in_another_charset_has_its_hosts() -> None:
    text = f"# Permis de construire : déposé\nhosts: [{A}]\n"
    assert written_hosts(text.encode("latin-1")) == WrittenHosts((A,), whole=True)


@pytest.mark.parametrize("rest", ["", BROKEN])
def test_a_shadow_is_known_as_one(rest: str) -> None:
    assert written_hosts(f"shadow: true\nhosts: [{A}]\n{rest}".encode()).shadow
    assert not written_hosts(f"shadow: false\nhosts: [{A}]\n{rest}".encode()).shadow


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("hosts: [{A}]\npath: /wiki\n", "/wiki"),
        ("access:\n  - allow: anyone\n    path: /public/**\nhosts: [{A}]\npath: /wiki\n", "/wiki"),
        ("access:\n  - allow: anyone\n    path: /public/**\nhosts: [{A}]\n", ""),
        ("hosts: [{A}]\npath:\n  /wiki\n", "/wiki"),
        ("hosts: [{A}]\npath: &there /wiki\n", "/wiki"),
        ("\ufeffpath: '/wiki'\nhosts: [{A}]\n", "/wiki"),
    ],
)
def test_the_path_is_the_one_beside_the_hosts(text: str, path: str) -> None:
    assert written_hosts((text.replace("{A}", A) + BROKEN).encode()).places == (A + path,)


@given(st.binary(max_size=300))
def test_no_bytes_are_a_fault(content: bytes) -> None:
    written_hosts(content)
    written_hosts(b"hosts: [" + content)
    written_hosts(b"hosts:\n" + content)


@pytest.mark.slow
@pytest.mark.parametrize("more", ["hosts: [\n", "hosts:\n", "hosts:\n- a.example.org\n", "path:\n", "path: !", "- "])
def test_a_file_that_names_its_hosts_again_and_again_is_read_once(more: str) -> None:
    assert is_linear(lambda size: lambda: written_hosts(f"!{more}".encode() * size), small=200, large=10_000)
    assert is_linear(lambda size: lambda: written_hosts(f"a: b: c\n{more * size}".encode()), small=200, large=10_000)


def test_hosts_behind_more_lists_than_a_file_has_are_not_said_to_be_all() -> None:
    found = written_hosts(f"{BROKEN}hosts: [{A}]\n".encode() * 33)
    assert found == WrittenHosts((A,), whole=False)
