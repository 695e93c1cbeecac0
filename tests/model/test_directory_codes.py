"""Codes of directories: one closes an application for a moment; the others are for the log alone."""

from gateway.model import directory_codes
from gateway.model.codes import Code


def test_only_a_directory_that_is_away_ends_a_request() -> None:
    found = {code.id: code.status for code in vars(directory_codes).values() if isinstance(code, Code)}
    assert {id for id, status in found.items() if status} == {"directory.away"}
    assert found["directory.away"] == 503
