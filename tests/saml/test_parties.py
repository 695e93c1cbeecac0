from gateway.saml.parties import KeyPair


def test_a_private_key_is_in_no_log_line() -> None:
    pair = KeyPair(id="2026", key=b"-----BEGIN PRIVATE KEY----- secret", certificate=b"-----BEGIN CERTIFICATE-----")
    assert "secret" not in repr(pair)
