from gateway.model.provider import ClientCertificate
from gateway.model.upstream_tls import UpstreamTls


def test_the_key_that_we_show_is_not_printed() -> None:
    tls = UpstreamTls(client_certificate=ClientCertificate(b"certificate", b"the-private-key"))
    assert "the-private-key" not in repr(tls)
    assert tls != UpstreamTls()
