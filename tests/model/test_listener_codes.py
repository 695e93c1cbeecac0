from gateway.model import listener_codes
from gateway.model.codes import Code


def test_they_never_reach_a_browser() -> None:
    found = {code.id: code.status for code in vars(listener_codes).values() if isinstance(code, Code)}
    assert found == {"listen.proxy_source": 0, "listen.proxy_header": 0}
