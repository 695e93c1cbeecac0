from gateway.model.store_server import StoreServer


def test_its_password_stands_in_no_log_line() -> None:
    server = StoreServer((("valkey.example.org", 6379),), password=b"a-password")
    assert "a-password" not in repr(server)
    assert "valkey.example.org" in repr(server)
