# ruff: noqa: E501 - a case is a line
import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.yaml.reader import MAX_BYTES, MAX_DEPTH, MAX_PROBLEMS, plain_value, read_document


def read(text: str | bytes) -> tuple[object, list[str]]:
    document, problems = read_document("x.yaml", text.encode() if isinstance(text, str) else text)
    return document.data, [problem.render().partition("\n")[0] for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # YAML 1.1 would make false, 10, 90, a date, and None of these.
        ("no", "no"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("012", "012"),
        ("059350", "059350"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2026-01-31", "2026-01-31"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("=", "="),
        # YAML 1.2 10.3.2
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("True", True),
        ("tRUE", "tRUE"),
        ("FALSE", False),
        ("0", 0),
        ("-7", -7),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("21590350100017", 21590350100017),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1e", "1e"),
        ("00.5", "00.5"),
        ("0o8", "0o8"),
        ("-", "-"),
        (".", "."),
        ("+", "+"),
        ("9" * 5000, "9" * 5000),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("٣", "٣"),
    ],
)
def test_a_scalar_without_quotes_is_read_as_yaml_1_2_does(text: str, value: object) -> None:
    read_value = plain_value(text)
    assert (read_value, type(read_value)) == (value, type(value))


def test_infinite_numbers_are_numbers() -> None:
    assert [str(plain_value(text)) for text in (".inf", "-.INF", ".NaN")] == ["inf", "-inf", "nan"]


def test_what_is_quoted_is_text() -> None:
    assert read("[\"1\", 'true', \"~\", '']") == (["1", "true", "~", ""], [])


def test_an_empty_value_is_null_and_a_block_is_text() -> None:
    assert read("a:\nb: |\n  un\n  deux\nc: >\n  un\n  deux\n") == (
        {"a": None, "b": "un\ndeux\n", "c": "un deux\n"},
        [],
    )


def test_a_byte_order_mark_and_windows_line_ends_are_read_over() -> None:
    assert read("\ufeffa: 1\r\nb: 2\r\n".encode()) == ({"a": 1, "b": 2}, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: *x", "x.yaml:1:4: a: an alias (*) is not accepted (a text that begins with * needs quotes)"),
        ("a: &x 1", "x.yaml:1:4: a: an anchor (&) is not accepted (a text that begins with & needs quotes)"),
        ("a: &x {b: 1}", "x.yaml:1:4: a: an anchor (&) is not accepted (a text that begins with & needs quotes)"),
        ("a: &x [b]", "x.yaml:1:4: a: an anchor (&) is not accepted (a text that begins with & needs quotes)"),
        ("&x a: 1", "x.yaml:1:1: an anchor (&) is not accepted (a text that begins with & needs quotes)"),
        ("a: !!str 1", "x.yaml:1:4: a: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        ("a: ! 1", "x.yaml:1:4: a: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        ("a: !x {b: 1}", "x.yaml:1:4: a: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        ("a: !!set [b]", "x.yaml:1:4: a: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        (
            "a: !!python/object:os.system {}",
            "x.yaml:1:4: a: a tag (!) is not accepted (a text that begins with ! needs quotes)",
        ),
        ("!!map {a: 1}", "x.yaml:1:1: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        ("a: 1\na: 2", "x.yaml:2:1: a: this key is here twice"),
        ("a: {b: 1, 'b': 2}", "x.yaml:1:11: a.b: this key is here twice"),
        ("<<: {a: 1}", "x.yaml:1:1: a merge key (<<) is not accepted: write the keys out"),
        ("1: a", "x.yaml:1:1: a key must be text (put it in quotes if it is meant so)"),
        ("true: a", "x.yaml:1:1: a key must be text (put it in quotes if it is meant so)"),
        ("? [a]\n: b", "x.yaml:1:3: a key must be text, not a list or a mapping"),
        ("{{a: b}: c}", "x.yaml:1:2: a key must be text, not a list or a mapping"),
        ("? *a\n: b", "x.yaml:1:3: an alias (*) is not accepted (a text that begins with * needs quotes)"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1: a second document is not accepted: one file holds one"),
        ("a: 1\n...\n---\n", "x.yaml:3:1: a second document is not accepted: one file holds one"),
        ("%YAML 1.2\n---\na: 1", "x.yaml:1:1: a directive is not accepted: begin with the first key"),
        ("%YAML 1.1\n---\na: 1", "x.yaml:1:1: a directive is not accepted: begin with the first key"),
        ("%TAG ! x:\n---\na: 1", "x.yaml:1:1: a directive is not accepted: begin with the first key"),
        ("", "x.yaml:1:1: the file is empty"),
        ("# only this\n", "x.yaml:1:1: the file is empty"),
        ('a: "\\0"', "x.yaml:1:4: a: a control character is not accepted in a text"),
        ('a: ["b", "\\e[31m"]', "x.yaml:1:10: a[1]: a control character is not accepted in a text"),
        ('"\\x85": 1', "x.yaml:1:1: a control character is not accepted in a text"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str, problem: str) -> None:
    assert read(text)[1] == [problem]


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read("'<<': 1") == ({"<<": 1}, [])


def test_every_problem_is_collected_and_what_is_left_is_read() -> None:
    data, found = read("a: *x\nb: &y 1\nc: !t 2\nb: 3\n4: 5\n? [6]\n: 7\nd: 8\n")
    assert [line.split(": ")[0] for line in found] == [
        "x.yaml:1:4",
        "x.yaml:2:4",
        "x.yaml:3:4",
        "x.yaml:4:1",
        "x.yaml:5:1",
        "x.yaml:6:3",
    ]
    assert data == {"a": None, "b": 1, "c": 2, "d": 8}


def test_a_flood_of_problems_is_cut() -> None:
    assert len(read("".join(f"{number}: a\n" for number in range(5000)))[1]) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("hidden", "problem"),
    [
        # What an editor and a review show as one line, libyaml reads as two.
        ("# fine\u2028deny: anyone", "x.yaml:1:7: a character that editors do not show is not accepted: U+2028 LINE SEPARATOR (remove it)"),
        ("a: 1 # fine\x85b: 2", "x.yaml:1:12: a character that editors do not show is not accepted: U+0085 (remove it)"),
        ("# fine\rb: 2", "x.yaml:1:7: a character that editors do not show is not accepted: U+000D (remove it)"),
        ("a: \u202eb", "x.yaml:1:4: a character that editors do not show is not accepted: U+202E RIGHT-TO-LEFT OVERRIDE (remove it)"),
        ("a: \u2067b", "x.yaml:1:4: a character that editors do not show is not accepted: U+2067 RIGHT-TO-LEFT ISOLATE (remove it)"),
        ("a: 1\nb: \x1b[2J", "x.yaml:2:4: a character that editors do not show is not accepted: U+001B (remove it)"),
        ("a: \0", "x.yaml:1:4: a character that editors do not show is not accepted: U+0000 (remove it)"),
        ("a: x\ufeff", "x.yaml:1:5: a character that editors do not show is not accepted: U+FEFF ZERO WIDTH NO-BREAK SPACE (remove it)"),
        ("a: admin\u200bs", "x.yaml:1:9: a character that editors do not show is not accepted: U+200B ZERO WIDTH SPACE (remove it)"),
        ("a: ad\xadmins", "x.yaml:1:6: a character that editors do not show is not accepted: U+00AD SOFT HYPHEN (remove it)"),
        ("a: x\u200f", "x.yaml:1:5: a character that editors do not show is not accepted: U+200F RIGHT-TO-LEFT MARK (remove it)"),
        ("a:\n  b: 1\n\xa0 c: 2", "x.yaml:3:1: a no-break space cannot indent (indent with spaces)"),
        ("a:\n  b: 1\n \u202fc: 2", "x.yaml:3:2: a no-break space cannot indent (indent with spaces)"),
    ],
)  # fmt: skip
def test_nothing_is_hidden_from_whoever_reviews_the_file(hidden: str, problem: str) -> None:
    assert read(hidden) == (None, [problem])


def test_bytes_that_are_not_utf_8_are_refused_at_their_place() -> None:
    assert read("a: 1\nb: é".encode() + b"\xe9") == (None, ["x.yaml:2:5: the file is not UTF-8 (save it as UTF-8)"])
    assert read("a: 1".encode("utf-16")) == (None, ["x.yaml:1:1: the file is not UTF-8 (save it as UTF-8)"])


def test_size_and_depth_have_a_limit() -> None:
    assert read(b"#" * (MAX_BYTES + 1)) == (None, ["x.yaml:1:1: the file is larger than 1 MB"])
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)[1] == []
    assert read("[" * (MAX_DEPTH + 1)) == (None, [f"x.yaml:1:{MAX_DEPTH + 1}: more than {MAX_DEPTH} levels deep"])
    assert read("{" * 400_000)[1] == ["x.yaml:1:1001: too many levels deep"]


def test_places_are_those_of_keys_and_values() -> None:
    document, _ = read_document("x.yaml", "é: [un, {deux: trois}]\nquatre:\n  cinq: six\n".encode())

    def at(*path: str | int, key: bool = False) -> str:
        return str(document.place(path, key=key))

    assert at() == "x.yaml:1:1"
    assert at("é") == "x.yaml:1:4"
    assert at("é", 1, "deux") == "x.yaml:1:16"
    assert at("é", 1, "deux", key=True) == "x.yaml:1:10"
    assert at("quatre", "cinq") == "x.yaml:3:9"
    assert at("quatre", "cinq", key=True) == "x.yaml:3:3"
    assert at("quatre", "sept") == "x.yaml:3:3"
    assert at("é", 7) == "x.yaml:1:4"
    assert document.line(("quatre", "cinq")) == 3


def test_a_scalar_document_has_a_place() -> None:
    document, _ = read_document("x.yaml", b"# a\nb\n")
    assert (document.data, str(document.place()), str(document.place(("a",)))) == ("b", "x.yaml:2:1", "x.yaml:2:1")


_HIDDEN = (
    "\xad\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_plain = st.text(
    alphabet=st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters=_HIDDEN), max_size=20
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | _plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_plain, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.slow
@given(_values)
def test_json_is_read_as_json_is(value: object) -> None:
    """JSON is YAML: an independent writer of values that we read."""
    assert read(json.dumps(value, ensure_ascii=False)) == (value, [])


@given(st.text())
def test_any_text_is_a_value_or_problems(text: str) -> None:
    document, found = read_document("x.yaml", text.encode("utf-8", "surrogatepass"))
    assert document.readable or found


@given(st.lists(st.sampled_from(
    ["[", "]", "{", "}", ": ", "- ", "\n", "&a ", "*a", "!x ", '"', "'", "~", "1", "\t", "#", "|", "? ", "<<", "%", "x", " ",
     "---\n", "...\n", "key: ", "\n  "]
), max_size=60))  # fmt: skip
def test_any_heap_of_yaml_signs_is_a_value_or_problems(signs: list[str]) -> None:
    document, found = read_document("x.yaml", "".join(signs).encode())
    assert document.readable or found
    for problem in found:
        assert problem.place.line >= 1
        assert problem.render()


@pytest.mark.slow
def test_a_large_file_is_read_in_time_that_grows_with_it() -> None:
    numbers = count()
    text = "".join(
        f"- {{path: /a{next(numbers)}/**, allow: {{any: [{{group: a}}, signed_in]}}}}\n" for _ in range(5_000)
    )
    document, found = read_document("x.yaml", text.encode())
    assert (len(document.data), found) == (5_000, [])  # type: ignore[arg-type]
    assert document.line((4_999,)) == 5_000
