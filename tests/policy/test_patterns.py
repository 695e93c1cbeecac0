import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.patterns import (
    AnyOne,
    ExpressionSegment,
    Literal,
    Rest,
    Segment,
    compile_expression,
    folded,
    parse_pattern,
)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("/", (Literal(""),)),
        ("/admin", (Literal("admin"),)),
        ("/admin/", (Literal("admin"), Literal(""))),
        ("/**", (Rest(),)),
        ("/admin/**", (Literal("admin"), Rest())),
        ("/*", (AnyOne(),)),
        ("/*/x/*", (AnyOne(), Literal("x"), AnyOne())),
        (r"/~[0-9]+\.php/x", (ExpressionSegment(r"[0-9]+\.php"), Literal("x"))),
        ("/~.*", (ExpressionSegment(".*"),)),
        ("/~", (ExpressionSegment(""),)),
        ("/a b/é", (Literal("a b"), Literal("é"))),
        ("/Admin", (Literal("Admin"),)),
        ("/x~y", (Literal("x~y"),)),
        ("/a:b@c,d=e&f+g!$'()", (Literal("a:b@c,d=e&f+g!$'()"),)),
    ],
)
def test_a_pattern_is_a_list_of_whole_segments(text: str, segments: tuple[Segment, ...]) -> None:
    assert parse_pattern(text).segments == segments
    assert parse_pattern(text).text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with `/`"),
        ("admin", "begins with `/`"),
        ("*", "begins with `/`"),
        ("https://app.example/admin", "begins with `/`"),
        ("/**/admin", "last only"),
        ("/**/", "last only"),
        ("//", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a*", "whole segment"),
        ("/*.php", "whole segment"),
        ("/a**", "whole segment"),
        ("/***", "whole segment"),
        ("/a/./b", "refused in every request"),
        ("/a/..", "refused in every request"),
        ("/a?x=1", "query"),
        ("/a#b", "fragment"),
        ("/%41dmin", "not its escape"),
        ("/menu;jsessionid=1", "parameters"),
        ("/a\\b", "refused in every request"),
        ("/a\nb", "control character"),
        ("/a\x00", "control character"),
        ("/~a\u0085", "control character"),
        ("/\ud800", "surrogate"),
        ("/cafe\u0301", "NFC"),
        ("/~cafe\u0301", "NFC"),
        ("/~[^/]+", "missing ]"),
        ("/~(?=a)b", r"\(\?="),
        ("/~(?<!a)b", r"\(\?<"),
        (r"/~(a)\1", r"\\1"),
        ("/~a{2000}", "repetition"),
        ("/~(", "missing"),
        ("/~((a{30}){30}){30}", "too large|repetition"),
        (r"/~\pL{300}", "too large"),
        ("/" + "a" * 2048, "2048 characters"),
        ("/a" * 65, "64 segments"),
    ],
)
def test_what_is_not_a_pattern_says_why(text: str, why: str) -> None:
    with pytest.raises(GatewayError, match=why) as refused:
        parse_pattern(text)
    assert refused.value.code is policy_codes.PATTERN


@given(st.text(max_size=40) | st.text(alphabet="/*~a.[]()\\;%?", max_size=12).map(lambda text: "/" + text))
def test_any_text_is_a_pattern_or_our_own_error(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except GatewayError:
        return
    assert pattern.segments
    assert Rest() not in pattern.segments[:-1]


@pytest.mark.parametrize(
    ("source", "segment", "matches"),
    [
        ("adm[a-z]+", "admin", True),
        # PC11: anchored at both ends, and `$` is no place before a line end
        ("adm", "admin", False),
        ("min", "admin", False),
        ("admin$", "admin\n", False),
        ("a|b", "bc", False),
        ("a|b", "xb", False),
        (".", "é", True),
        ("..", "é", False),
        ("", "", True),
        ("ADMIN", "admin", False),
    ],
)
def test_an_expression_is_anchored_and_counts_characters(source: str, segment: str, matches: bool) -> None:
    assert bool(compile_expression(source, case_insensitive=False).fullmatch(segment.encode())) is matches


def test_where_case_is_ignored_literals_are_lowered_and_expressions_meet_any_case() -> None:
    pattern = parse_pattern("/Admin/~[A-M]+/*/**")
    assert folded(pattern, case_insensitive=False) is pattern
    assert folded(pattern, case_insensitive=True).segments == parse_pattern("/admin/~[A-M]+/*/**").segments
    assert folded(pattern, case_insensitive=True).text == pattern.text
    assert compile_expression("[A-M]+É", case_insensitive=True).fullmatch("abmé".encode())


def test_a_refused_expression_is_an_error_of_ours_and_no_line_on_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(GatewayError):
        parse_pattern("/~[")
    assert capfd.readouterr() == ("", "")


def test_a_hostile_expression_takes_linear_time() -> None:
    # `re` would need 2 to the power of 2000 steps.
    assert not compile_expression("(a|a)*(a*)*b", case_insensitive=False).fullmatch(b"a" * 2000)
