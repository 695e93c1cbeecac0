from gateway.model import rewrite_codes
from gateway.model.codes import Code


def test_they_never_reach_a_browser() -> None:
    found = {code.id: code.status for code in vars(rewrite_codes).values() if isinstance(code, Code)}
    assert found == {"rewrite.charset": 0}
