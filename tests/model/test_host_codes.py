from gateway.model import host_codes
from gateway.model.code_table import all_codes


def test_they_are_in_the_table_and_tell_browsers_whether_the_address_is_wrong() -> None:
    codes = (host_codes.HOST_UNKNOWN, host_codes.HOST_UNREAD, host_codes.APP_CLOSED)
    assert set(codes) <= set(all_codes())
    # RFC 9110 15.5.20: nothing answers at this host; 503: something would.
    assert [code.status for code in codes] == [421, 421, 503]
