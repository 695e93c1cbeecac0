"""A browser that asks for a script of another site (CORS): a rule of its own lets OPTIONS in, and nothing else."""

import pytest

from tests.proxy.applications import application
from tests.proxy.gateways import HOST, ask, blot, gateway, reached

# As docs/how-to/carry-webdav.md shows it.
API = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access:
  - {{path: /v1/**, methods: [OPTIONS], allow: anyone}}
  - {{path: /v1/**, methods: [GET, POST, PUT, PATCH, DELETE], allow: signed_in}}
  - {{path: /v2/**, allow: signed_in}}
"""
ASKED = (
    b"Origin: https://partenaire.example", b"Access-Control-Request-Method: DELETE",
    b"Access-Control-Request-Headers: x-remote-user, authorization",
)  # fmt: skip
ALLOWED = (
    b"Access-Control-Allow-Origin: https://partenaire.example",
    b"Access-Control-Allow-Methods: DELETE",
    b"Access-Control-Allow-Credentials: true",
)
ANSWER = b"\r\n".join((b"HTTP/1.1 204 No Content", *ALLOWED, b"", b""))


async def test_it_is_the_applications_to_answer_and_both_get_what_the_other_said() -> None:
    async with (
        application(ANSWER) as app,
        gateway(app, changes={"apps/permis.yaml": API.format(port=app.port)}) as gate,
    ):
        answer = await gate.once(ask(b"OPTIONS /v1/a", *ASKED, b"X-Remote-User: admin"))
        assert answer.status == 204
        assert all(line in answer.head.split(b"\r\n") for line in ALLOWED)
        assert [blot(request) for request in app.requests] == [reached(b"OPTIONS /v1/a", *ASKED)]


@pytest.mark.parametrize(
    ("line", "more", "status"),
    [
        (b"DELETE /v1/a", (), 401),
        (b"GET /v1/a", (), 401),
        (b"HEAD /v1/a", (), 401),
        (b"OPTIONS /v2/a", (), 401),
        (b"OPTIONS /v1/../v2/a", (), 400),
        (b"OPTIONS /v11/a", (), 403),
        (b"OPTIONS /nowhere", (), 403),
        (b"OPTIONS *", (), 400),
        (b"OPTIONS http://%b/v2/a" % HOST, (), 401),
        (b"options /v1/a", (), 405),
        (b"OPTIONS /v1/a", (b"X-HTTP-Method-Override: DELETE",), 400),
        (b"OPTIONS /v1/a?_method=DELETE", (), 400),
    ],
)
async def test_the_rule_of_it_opens_nothing_else(line: bytes, more: tuple[bytes, ...], status: int) -> None:
    async with application() as app, gateway(app, changes={"apps/permis.yaml": API.format(port=app.port)}) as gate:
        answer = await gate.once(ask(line, *ASKED, *more))
        assert (answer.status, app.requests) == (status, [])
        assert b"access-control-" not in answer.head.lower()
