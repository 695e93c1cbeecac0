# ruff: noqa: E501 - bytes in rows
"""Whatever stands in the files, the loader says so in its own words, or takes it: nothing else ever comes out of it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files
from gateway.config.problems import ProblemsFound
from tests.config.samples import BASE, SECRETS

pytestmark = pytest.mark.slow

CONDITION = (
    "{any: [{group: ONDE}, {claim: {name: mail, matches: '[a-z]+@.*'}}, {tenant: {list: nord}}, {shared: a}, "
    "{user: metropole/1}, {provider: metropole}, {network: [10.0.0.0/8]}, {method: GET}, "
    "{header: {name: X-Mode, equals: a}}, {query: {name: q, in: [a, b]}}, "
    "{time: {zone: Europe/Paris, days: mon-fri, hours: '08:00-19:00', dates: 2026-12-24}}, "
    '{when: \'user.mail.matches("a.*") && request.path == "/a"\'}, {not: signed_in}]}'
)
FILES = {
    **BASE,
    "apps/permis.yaml": BASE["apps/permis.yaml"].replace("allow: signed_in", f"allow: {CONDITION}")
    + "  - {path: '/~[a-z]+/*', deny: {group: x}, methods: [POST], shadow: true}\n",
    "gateway.yaml": BASE["gateway.yaml"]
    + "teams: {urba: {hosts: ['*.urba.localhost'], providers: [metropole], upstreams: [127.0.0.1], headers: [X-Remote-User]}}\n",
    "apps/urba/x.yaml": BASE["apps/permis.yaml"].replace("permis", "x").replace("[x.localhost]", "[x.urba.localhost]"),
    "shared/a.yaml": "version: 1\nconditions: {a: {all: [{shared: b}, signed_in]}, b: {not: {group: c}}}\n",
    "lists/nord.yaml": "version: 1\nlist: nord\norganisations: ['215903501', {siret: '22590001800014', insee: '59350'}]\n",
}
PIECES = [
    b"", b" ", b"\n", b"\t", b":", b": ", b"- ", b"[", b"]", b"{", b"}", b"'", b'"', b"#", b"&a ", b"*a", b"!x ", b"|\n", b">-\n", b"%",
    b"null", b"~", b"true", b"1", b"-1", b"1e999", b"0x1f", b".inf", b"\x00", b"\xff", b"\xc3\xa9", b"e\xcc\x81", b"\xed\xa0\x80",
    b"(?=a)", b"(a", b"\\", b"**", b"{shared: a}", b"{when: '1'}", b"2026-02-30", b"9" * 400, b"a" * 70000, b"[" * 100, b"allow", b"deny",
    b"---\n", b"...\n", b"<<: ", b"? ", b"{not: " * 40, b"anyone", b"{}", b"[]", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\r\n",
]  # fmt: skip


def test_what_is_mangled_is_whole_before() -> None:
    compile_files(Files("policies", "/srv", {name: text.encode() for name, text in FILES.items()}, SECRETS))


def mangled(content: bytes, chance: random.Random) -> bytes:
    """A few pieces put in, cut out, doubled or exchanged."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(content))
        end = min(len(content), at + chance.choice([0, 0, 1, 3, 10, 60]))
        piece = chance.choice([*PIECES, content[at:end] * 2, content[chance.randint(0, len(content)) :][:30]])
        content = content[:at] + piece + content[end:]
    return content


@settings(max_examples=250)
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(FILES)))
def test_a_mangled_file_is_taken_or_told_with_its_place(chance: random.Random, path: str) -> None:
    texts = {name: text.encode() for name, text in FILES.items()}
    texts[path] = mangled(texts[path], chance)
    taken_or_told(texts)


@settings(max_examples=150)
@given(st.binary(max_size=200), st.sampled_from(sorted(FILES)))
def test_any_bytes_in_the_place_of_a_file(content: bytes, path: str) -> None:
    taken_or_told({**{name: text.encode() for name, text in FILES.items()}, path: content})


def taken_or_told(texts: dict[str, bytes]) -> None:
    files = Files("policies", "/srv/ecluse/policies", texts, SECRETS)
    try:
        compiled = compile_files(files)
    except ProblemsFound as found:
        for problem in found.problems:
            assert problem.place.file.startswith("policies/")
            assert problem.message
            assert all(line.isprintable() for line in problem.render().splitlines())
        return
    # What was taken is built, too.
    assert build(compiled.plan).revision == compiled.revision
