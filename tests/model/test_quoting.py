import pytest

from gateway.model.quoting import quoted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abc", '"abc"'),
        ("é", '"é"'),
        ("a\nb\x1b[31m\u202e", '"a?b?[31m?"'),
        (None, '"NoneType"'),
        (7, '"int"'),
        ("x" * 201, '"' + "x" * 200 + '..." (201 characters)'),
    ],
)
def test_a_stranger_s_value_is_bounded_and_prints(value: object, shown: str) -> None:
    assert quoted(value) == shown
