"""What is written as one value is read as that value."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.config.draft.words import comment, mapping, scalar, sequence
from gateway.config.yaml.reader import read_document

TEXTS = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=40)
TRICKY = st.sampled_from(
    ["no", "True", "null", "~", "012", "1e3", "0x1", "a: b", "a:", "- a", "#a", "a #b", "*a", "&a", "!a", "[a", "{a",
     "a, b", "'a", '"a"', "a\\b", "@a", "%a", "> a", "| a", "?", "2026-01-01", "https://a.example/?b=c#d", "..", "../a"]
)  # fmt: skip


def read(text: str) -> object:
    document, problems = read_document("x.yaml", text.encode())
    assert not problems, (text, [problem.message for problem in problems])
    return document.data


@given(TEXTS | TRICKY)
def test_a_text_stays_the_text(text: str) -> None:
    assert read(f"a: {scalar(text)}\n") == {"a": text}


@given(st.lists(TEXTS | TRICKY, min_size=1, max_size=3))
def test_so_do_several(texts: list[str]) -> None:
    assert read(f"a: {sequence(texts)}\n") == {"a": texts}


@given(st.dictionaries(TEXTS | TRICKY, TEXTS, min_size=1, max_size=3))
def test_and_a_mapping(texts: dict[str, str]) -> None:
    assert read(f"a: {mapping(texts)}\n") == {"a": texts}


@given(st.text())
def test_a_comment_is_one_line_that_says_nothing(text: str) -> None:
    assert read(f"a: b\n{comment(text)}\nc: d\n") == {"a": "b", "c": "d"}


def test_plain_texts_stay_plain() -> None:
    for text in ("ville.example", "https://op.ville.example/realms/a", "../certs/a.secret", "client_secret_post"):
        assert scalar(text) == text
