"""Invariant 2 as a property: whatever passes, every lenient reading that is known makes the same path of it.

Each reading is written here anew, from what the servers do; none of it is the gateway's own code.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.model.errors import GatewayError
from gateway.wire.target import STRICT, PathLeniency, Target, canonical_target
from tests.wire.test_look_alikes import best_fit

ESCAPED = PathLeniency(escaped=frozenset({"?", "#"}))
CASELESS = PathLeniency(case_insensitive=True)
HOSTS = {
    "strict": STRICT,
    "caseless": CASELESS,
    "windows": PathLeniency(case_insensitive=True, windows=True),
    "aspnet": PathLeniency(cookieless=True),
    "iis": PathLeniency(case_insensitive=True, windows=True, cookieless=True),
    "latin": PathLeniency(encoding="latin-1"),
    "escaped": ESCAPED,
}
FIT = str.maketrans(best_fit())


# --- what some server makes of a path, in one step ---


def decoded_once_more(path: str) -> str:
    return unquote(path, errors="surrogateescape")


def cut(path: str) -> str:
    return re.sub(r";[^/]*", "", re.split(r"[?#\0]", path)[0])


def resolved(path: str) -> str:
    kept: list[str] = []
    for segment in path.replace("\\", "/").split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def without_cookieless(path: str) -> str:
    """The managed part of ASP.NET before 2023 (the last, by any letters), which another round met again."""
    before = None
    while before != path:
        before = path
        path = re.sub(r"/\((?:[A-Za-z]\([^/)]*\))+\)(?=/)", "", path)
    return path


def joined_cookieless(path: str) -> str:
    """CVE-2023-36899: `/pro/(S(x))tected`."""
    return re.sub(r"/\((?:[A-Za-z]\([^/)]*\))+\)", "", path)


def first_cookieless(path: str) -> str:
    return re.sub(r"/\([A-Za-z0-9]{24}\)(?=/)", "", path)


def with_blanks_of_forms(path: str) -> str:
    return path.replace("%20", " ")


EVERYWHERE = (
    decoded_once_more, cut, resolved, without_cookieless, joined_cookieless, first_cookieless, with_blanks_of_forms,
)  # fmt: skip


def trimmed(path: str) -> str:
    """Windows: of the last name all dots and blanks at its end, of others one dot."""
    *inside, last = path.split("/")
    return "/".join([*(name.removesuffix(".") for name in inside), last.rstrip(". ")])


def trimmed_each(path: str) -> str:
    return "/".join(name.rstrip(". ") for name in path.split("/"))


def without_streams(path: str) -> str:
    return re.sub(r":[^/:]*:\$[^/]*|:\$[^/]*|:(?=/|\Z)", "", path)


def long_names(path: str) -> str:
    return re.sub(r"~[0-9]+(?=[./]|\Z)", "gramfiles", path)


def wildcards(path: str) -> str:
    return re.sub(r'[*?<>"]', "x", path)


def fitted(path: str) -> str:
    return path.translate(FIT).lower()


def raised(path: str) -> str:
    return path.upper().lower()


ON_WINDOWS = (trimmed, trimmed_each, without_streams, long_names, wildcards, fitted, raised)

# --- what is tried ---

PIECES = (
    "/", "/", "/", ".", "..", "%2e", "%2f", "%5c", "%25", "%2", "2e", "3f", "%00", ";", "%3b", "?", "#", "%3f", "%23",
    "%253f", "%2523", "%25%33%66", "admin", "ADMIN", "p", "%20", "+", "~", "~1", "~%31", ":", "::", ":$DATA", "$",
    "::$INDEX_ALLOCATION", "*", "%3c", "%22", "(", ")", "(S(x))", "/(S(x))/", "/(a(b))", "%28S(", "(A(x)F(y))",
    "(55mfgh55vgblurtywsityvjq)", "%c3%a9", "e%cc%81", "%c5%93", "%e2%80%99", "%9c", "%92", "%e9", "%c2%bd",
    "%e2%84%85", "%e2%84%96", "%e2%81%84", "%ef%bc%8f", "%ef%bc%8e", "%ef%bd%81", "%c4%81", "%e2%80%a6", "%e2%80%a4",
    "%c4%b1", "%c2%a0", "%e3%80%80", "%c2%85", "%85", "nul", "con",
)  # fmt: skip
targets = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: "/" + "".join(pieces)),
    # Two harmless things and one that is not: these are mostly let through, or refused for the one reason.
    st.tuples(st.sampled_from(PIECES), st.sampled_from(("a", "/a/", "b."))).map(lambda pair: f"/x{pair[0]}{pair[1]}"),
    st.text(max_size=12).map(lambda text: "/" + quote(text, safe="/~:*$()")),
)
hosts = st.sampled_from(list(HOSTS.values()))


def accepted(target: str, leniency: PathLeniency) -> Target | None:
    try:
        return canonical_target(target.encode(), leniency)
    except GatewayError:
        return None


def paths(target: Target) -> Iterator[str]:
    for segments in (target.segments, target.other):
        if segments is not None:
            yield "/" + "/".join(segments)


def same(reading: Callable[[str], str], path: str) -> None:
    assert unicodedata.normalize("NFC", reading(path)) == path, (
        f"{reading.__name__} makes {reading(path)!r} of {path!r}"
    )


@given(targets, hosts)
@example("/admin%3f", ESCAPED)
@example("/l%E2%80%99%C5%93uf", HOSTS["latin"])
@example("/%c4%81dmin", CASELESS)
@example("/%e2%81%84admin", STRICT)
@example("/(55mfgh55vgblurtywsityvjq)/a", STRICT)
@example("/(S(x))/admin./A%20", HOSTS["iis"])
def test_every_reading_of_what_passes_is_the_path_that_policy_saw(target: str, leniency: PathLeniency) -> None:
    read = accepted(target, leniency)
    if read is None:
        return
    for path in paths(read):
        for reading in EVERYWHERE:
            if not (leniency.escaped and reading is cut):
                same(reading, path)
        if leniency.case_insensitive:
            for reading in ON_WINDOWS:
                same(reading, path)


@given(targets, hosts)
@example("/1%C2%BD", STRICT)
@example("/public%e2%88%95%e9admin", HOSTS["latin"])
@example("/public%ef%bc%8e%ef%bc%8e%e9", HOSTS["latin"])
@example("/%E2%84%96", STRICT)
def test_a_normaliser_makes_no_separator(target: str, leniency: PathLeniency) -> None:
    """Where case counts, letters may become others of another look (`№` is `No`): no server of a State application is
    known to look for files so. But they stay letters, in as many segments."""
    read = accepted(target, leniency)
    if read is None:
        return
    replaced = unquote(read.path.decode(), errors="replace")
    for path in (*paths(read), *([] if leniency.cookieless or leniency.windows else [replaced])):
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            made = unicodedata.normalize(form, path)
            assert made.count("/") == path.count("/")
            assert resolved(made) == made
            assert leniency.escaped or cut(made) == made
            assert decoded_once_more(made) == made


@given(targets, hosts)
def test_every_charset_reads_one_of_the_paths_that_policy_saw(target: str, leniency: PathLeniency) -> None:
    """Servers that know ISO 8859-1 have controls where browsers have letters; no rule can name these."""
    read = accepted(target, leniency)
    if read is None or leniency.cookieless or leniency.windows:
        return
    data = unquote_to_bytes(read.path)
    charsets = ("utf-8", "cp1252") if leniency.encoding == "latin-1" else ("utf-8",)
    for charset in charsets:
        try:
            text = unicodedata.normalize("NFC", data.decode(charset))
        except UnicodeDecodeError:
            continue
        assert (text.lower() if leniency.case_insensitive else text) in set(paths(read)) or b"\x85" in data


@pytest.mark.parametrize(
    ("reading", "target", "leniency"),
    [
        (cut, "/admin%3f", ESCAPED),
        (without_cookieless, "/a/(S(x))/b", STRICT),
        (trimmed, "/a.", STRICT),
        (trimmed_each, "/a%20/b", STRICT),
        (without_streams, "/a::$DATA", STRICT),
        (long_names, "/pro~1", STRICT),
        (wildcards, "/ad*", STRICT),
        (fitted, "/%ef%bd%81dmin", STRICT),
        (raised, "/Admin", STRICT),
    ],
)
def test_the_readings_read(reading: Callable[[str], str], target: str, leniency: PathLeniency) -> None:
    """On hosts that know no such reading, the same path is let through, and would be read as another."""
    assert reading(unquote(target)) != unquote(target)
    assert accepted(target, leniency) is not None or reading is without_cookieless
