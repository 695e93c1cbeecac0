from gateway.model import config_codes
from gateway.model.codes import Code


def test_none_of_them_reaches_a_browser() -> None:
    found = [value for value in vars(config_codes).values() if isinstance(value, Code)]
    assert found
    assert {code.status for code in found} == {0}
    assert all(code.id.startswith("config.") for code in found)
