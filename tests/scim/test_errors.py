import pytest

from gateway.model.codes import scim_codes, store_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.scim.errors import error_document


@pytest.mark.parametrize(
    ("code", "status", "scim_type"),
    [
        (scim_codes.FILTER, "400", "invalidFilter"),
        (scim_codes.TAKEN, "409", "uniqueness"),
        (scim_codes.TOO_MANY, "400", "tooMany"),
        (scim_codes.USER, "404", None),
    ],
)
def test_an_error_is_as_rfc_7644_has_it(code: Code, status: str, scim_type: str | None) -> None:
    error = error_document(GatewayError(code, "what was wrong"), "f00d")
    assert error.pop("schemas") == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert error.pop("detail") == f"{code.id}: what was wrong (f00d)"
    assert error == {"status": status} | ({} if scim_type is None else {"scimType": scim_type})


@pytest.mark.parametrize("code", [scim_codes.TOKEN, store_codes.UNREACHABLE])
def test_strangers_are_told_nothing_and_nobody_is_told_of_our_own_parts(code: Code) -> None:
    assert error_document(GatewayError(code, "a secret thing"), "f00d")["detail"] == f"{code.id} (f00d)"
