"""The codes of kept forms."""

from gateway.model.code_table import all_codes
from gateway.model.kept_post_codes import SESSION_FORM_GONE


def test_they_are_in_the_table() -> None:
    assert SESSION_FORM_GONE in all_codes()
