from gateway.model import upstream_codes
from gateway.model.codes import Code


def test_what_people_read_where_an_application_can_take_no_more_ends_requests_with_5xx_or_429() -> None:
    found = {code.id: code.status for code in vars(upstream_codes).values() if isinstance(code, Code)}
    assert found == {"upstream.busy": 503, "upstream.none": 503}
