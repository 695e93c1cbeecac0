from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError


def test_an_error_has_a_code_for_the_browser_and_a_detail_for_the_operator() -> None:
    error = GatewayError(login_codes.MAPPING, "`mail` has 2 values")
    assert error.code is login_codes.MAPPING
    assert error.detail == "`mail` has 2 values"
    assert str(error) == "login.mapping: `mail` has 2 values"


def test_without_a_detail_the_code_speaks_for_itself() -> None:
    assert str(GatewayError(login_codes.MAPPING)) == "login.mapping"
    assert GatewayError(login_codes.MAPPING).detail == ""


def test_what_a_person_reads_beside_the_code_is_said_apart() -> None:
    assert GatewayError(login_codes.MAPPING, "for the log").shown == ""
    error = GatewayError(login_codes.MAPPING, "for the log", shown="412 s")
    assert (error.shown, "412" in str(error)) == ("412 s", False)
