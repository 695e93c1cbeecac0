from gateway.model.code_table import all_codes
from gateway.model.scim_codes import LOGIN_DEACTIVATED, SCIM_TOKEN


def test_they_are_stable_codes() -> None:
    assert {SCIM_TOKEN, LOGIN_DEACTIVATED} <= set(all_codes())
    assert (SCIM_TOKEN.status, LOGIN_DEACTIVATED.status) == (401, 403)
