# ruff: noqa: E501 - a case is a line
import pytest
import yaml

from gateway.config.problems import Place
from gateway.config.yaml.errors import syntax_error
from gateway.config.yaml.reader import read_document

QUOTED = """the text in quotes ended before this (inside '...' write '' for ', or use "..."; inside "..." write \\" for \")"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hosts: [*.example.org]", "x.yaml:1:10: this begins as an alias or an anchor (a text that begins with * or & needs quotes)"),
        ("a: b: c", "x.yaml:1:5: a key is not expected here (check the indentation; a text with ': ' in it needs quotes)"),
        ("a: 1\n b: 2", "x.yaml:2:3: a key is not expected here (check the indentation; a text with ': ' in it needs quotes)"),
        ("a:\n\tb: 1", "x.yaml:2:1: a tab cannot stand here (indent with spaces)"),
        ("a: [\n\tb]\n- c", "x.yaml:3:1: this does not fit the indentation above it (indent with spaces, as the lines around it)"),
        ("a:\n  b: 1\n\tc: 2", "x.yaml:3:1: a tab cannot stand here (indent with spaces)"),
        ("a: 'l'accès'", f"x.yaml:1:7: {QUOTED}"),
        ('a: "dit "non""', f"x.yaml:1:10: {QUOTED}"),
        ("a: @x", "x.yaml:1:4: a text cannot begin with @ (put it in quotes)"),
        ("a: `x`", "x.yaml:1:4: a text cannot begin with ` (put it in quotes)"),
        ("a: %x", "x.yaml:1:4: a text cannot begin with % (put it in quotes)"),
        ("- a\nb: c", "x.yaml:2:1: this does not fit the indentation above it (indent with spaces, as the lines around it)"),
        ("a:\n  b: 1\n c: 2", "x.yaml:3:2: this does not fit the indentation above it (indent with spaces, as the lines around it)"),
        ("a: - b", "x.yaml:1:4: this does not fit the indentation above it (indent with spaces, as the lines around it)"),
        ('a: "x\nb: 1', "x.yaml:1:4: the text in quotes does not end (close the quotes; inside '...' write '' for ')"),
        ("a: b\nc", "x.yaml:2:1: this is neither a key nor a value (a key ends with ': ')"),
        ("a: [{b: :80}]", "x.yaml:1:9: a value cannot begin so (a text that begins with : needs quotes; an address of `listen` is IP:port, such as 0.0.0.0:80)"),
        ("a: !x!y z", "x.yaml:1:4: a tag (!) is not accepted (a text that begins with ! needs quotes)"),
        ('a: "\\q"', "x.yaml:1:5: this escape is not known (write \\\\ for a backslash, or use '...')"),
        ('a: "\\ud800"', "x.yaml:1:7: this is not YAML: found invalid Unicode character escape code"),
    ],
)  # fmt: skip
def test_a_syntax_error_is_said_in_plain_words(text: str, problem: str) -> None:
    document, found = read_document("x.yaml", text.encode())
    assert [one.render().partition("\n")[0] for one in found] == [problem]
    assert not document.readable


def test_an_open_bracket_is_shown_where_it_was_opened() -> None:
    _, (problem,) = read_document("x.yaml", b"access:\n  - {path: /~[0-9]+, allow: anyone}\n")
    assert (
        problem.render()
        == """\
x.yaml:2:14: the brackets are not closed here (a text with [ ] { } or , needs quotes)
      - {path: /~[0-9]+, allow: anyone}
                 ^
  opened at x.yaml:2:5
      - {path: /~[0-9]+, allow: anyone}
        ^"""
    )


def test_an_error_without_a_place_stands_at_the_beginning() -> None:
    problem = syntax_error(lambda spot: Place("x.yaml", spot[0] + 1, spot[1] + 1), yaml.YAMLError("odd"))
    assert problem.render() == "x.yaml:1:1: this is not YAML that can be read"
