"""Sign-ins at an application's form over TLS: nobody's login reaches a server that is not the one."""

import ssl

import pytest

from gateway.access.outcome import Prepared
from gateway.federation.applications import Applications
from gateway.federation.form_exchange import FormExchange
from gateway.formlogin.walk import FormRequest
from gateway.model.codes import form_login_codes
from gateway.model.errors import GatewayError
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.applications import OK, Application, application, closing
from tests.proxy.certificates import authority

FORM = FormRequest("/login", b"user=paul&password=his-own", page="/login")


def device() -> tuple[ssl.SSLContext, bytes]:
    """A server with a certificate that has no name in it, as devices come; and that certificate."""
    leaf = authority().issue_cert("device.example")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    return context, leaf.cert_chain_pems[0].bytes()


async def sent(app: Application, pin: bytes) -> int:
    url = f"{{url: 'https://127.0.0.1:{app.port}', tls: {{pins: [{{file: ../certs/pin.pem}}]}}}}"
    files = {"apps/permis.yaml": PERMIS.replace("{url: http://127.0.0.1:9001}", url)}
    there = sample_snapshot(files, {"file:../certs/pin.pem": pin}).apps["permis"]
    applications = Applications(lambda address, port: False)
    try:
        exchange = FormExchange(applications.connected)
        return (await exchange.send(there, "permis.localhost", Prepared(b"", b""), FORM)).status
    finally:
        await applications.close()


async def test_a_login_goes_to_the_server_that_is_pinned() -> None:
    context, pin = device()
    async with application(closing(OK), tls=context) as app:
        assert await sent(app, pin) == 200
        assert b"user=paul&password=his-own" in app.received


async def test_and_no_byte_of_it_to_another_one() -> None:
    context, _ = device()
    _, another = device()
    async with application(closing(OK), tls=context) as app:
        with pytest.raises(GatewayError) as refused:
            await sent(app, another)
        assert refused.value.code is form_login_codes.UNANSWERED
        assert app.received == b""
