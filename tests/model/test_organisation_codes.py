from gateway.model.code_table import all_codes
from gateway.model.organisation_codes import ORGANISATIONS_FILE


def test_no_browser_is_told_of_a_wrong_table() -> None:
    assert ORGANISATIONS_FILE in all_codes()
    assert ORGANISATIONS_FILE.status == 0
