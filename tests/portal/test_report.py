"""What the log learns of a fault of ours."""

from gateway.portal.report import where


def test_a_fault_is_told_by_its_type_and_place_never_by_its_text() -> None:
    def inner() -> None:
        raise ValueError("cookie=secret")

    try:
        inner()
    except ValueError as fault:
        told = where(fault)
    assert told.startswith("ValueError < inner:")
    assert "secret" not in told
