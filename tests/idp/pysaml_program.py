"""An identity provider on pysaml2: python tests/idp/pysaml_program.py SETTINGS.json; says "ready" when it listens.

Everybody may sign in as whom they like, and stays so in that browser. `/end?who=LOGIN` has it tell the service over
SOAP that a person signed out, and shows the answer.
"""

import json
import sys
import warnings
from html import escape
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import Request, urlopen

# It is written against older releases of its own libraries.
warnings.simplefilter("ignore")

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, BINDING_SOAP  # noqa: E402
from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT  # noqa: E402
from saml2.config import IdPConfig  # noqa: E402
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID  # noqa: E402
from saml2.samlp import STATUS_NO_PASSIVE  # noqa: E402
from saml2.server import Server  # noqa: E402
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256  # noqa: E402

_URI = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"


def configured(told: dict[str, str]) -> Server:
    url = told["url"]
    both = (BINDING_HTTP_REDIRECT, BINDING_HTTP_POST)
    provider = {
        "want_authn_requests_signed": True,
        "sign_response": False,
        "sign_assertion": True,
        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
        "policy": {"default": {"lifetime": {"minutes": 5}, "name_form": _URI}},
        "endpoints": {
            "single_sign_on_service": [(f"{url}/sso", binding) for binding in both],
            "single_logout_service": [(f"{url}/slo", binding) for binding in both],
        },
    }
    return Server(
        config=IdPConfig().load({
            "entityid": f"{url}/metadata",
            "xmlsec_binary": told["xmlsec1"],
            "key_file": told["key"],
            "cert_file": told["certificate"],
            "metadata": {"inline": [Path(told["service_provider"]).read_text()]},
            "signing_algorithm": SIG_RSA_SHA256,
            "digest_algorithm": DIGEST_SHA256,
            "service": {"idp": provider},
        })
    )  # fmt: skip


class Pages(BaseHTTPRequestHandler):
    """One request at a time is enough, and kinder to a library that keeps state."""

    server: "Listener"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        fields = dict(parse_qsl(query))
        if path == "/sso":
            self.sign_on(fields, BINDING_HTTP_REDIRECT)
        elif path == "/slo":
            self.logged_out(fields, BINDING_HTTP_REDIRECT)
        elif path == "/end":
            self.end(fields["who"])
        else:
            self.answer(404, "")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(parse_qsl(body, keep_blank_values=True))
        if self.path == "/login":
            self.signed_in(fields)
        elif self.path == "/sso":
            self.sign_on(fields, BINDING_HTTP_POST)
        else:
            self.logged_out(fields, BINDING_HTTP_POST)

    def sign_on(self, fields: dict[str, str], binding: str) -> None:
        if "SAMLRequest" not in fields:
            self.answer(400, "")
            return
        state = fields.get("RelayState", "")
        signed = {"sigalg": fields.get("SigAlg"), "signature": fields.get("Signature")}
        asked = self.server.idp.parse_authn_request(fields["SAMLRequest"], binding, relay_state=state, **signed)
        known = SimpleCookie(self.headers.get("Cookie", "")).get("login")
        if known is not None:
            self.vouch(asked.message, state, known.value)
        elif asked.message.is_passive == "true":
            self.refuse(asked.message, state, STATUS_NO_PASSIVE)
        else:
            self.ask(asked.message, state)

    def ask(self, message: Any, state: str) -> None:
        self.server.asked[message.id] = (message, state)
        self.answer(200, (
            '<form method="post" action="/login">'
            f'<input type="hidden" name="request" value="{escape(message.id)}">'
            '<input name="login"><button>Go on</button></form>'
        ))  # fmt: skip

    def signed_in(self, fields: dict[str, str]) -> None:
        self.vouch(*self.server.asked.pop(fields["request"]), fields["login"])

    def refuse(self, message: Any, state: str, code: str) -> None:
        idp = self.server.idp
        told = idp.response_args(message)
        strong = {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
        response = idp.create_error_response(message.id, told["destination"], (code, None), sign=True, **strong)
        self.bound(idp.apply_binding(BINDING_HTTP_POST, str(response), told["destination"], state, response=True))

    def vouch(self, message: Any, state: str, login: str) -> None:
        idp = self.server.idp
        told = idp.response_args(message)
        name_id = NameID(text=login, format=NAMEID_FORMAT_PERSISTENT)
        self.server.signed_in[login] = (name_id, told["sp_entity_id"])
        response = idp.create_authn_response(
            {"uid": [login], "mail": [f"{login}@corp.example"]},
            userid=login,
            name_id=name_id,
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.server.url},
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            **{key: told[key] for key in ("in_response_to", "destination", "sp_entity_id")},
        )
        made = idp.apply_binding(BINDING_HTTP_POST, str(response), told["destination"], state, response=True)
        made["headers"] = [*made["headers"], ("Set-Cookie", f"login={login}; Path=/; HttpOnly")]
        self.bound(made)

    def logged_out(self, fields: dict[str, str], binding: str) -> None:
        idp, state = self.server.idp, fields.get("RelayState", "")
        signed = {"sigalg": fields.get("SigAlg"), "signature": fields.get("Signature")}
        asked = idp.parse_logout_request(fields["SAMLRequest"], binding, relay_state=state, **signed)
        by_redirect = binding == BINDING_HTTP_REDIRECT
        strong = {"sign_alg": SIG_RSA_SHA256, "digest_alg": DIGEST_SHA256}
        response = idp.create_logout_response(asked.message, [binding], sign=not by_redirect, **strong)
        told = idp.response_args(asked.message, [binding])
        self.bound(
            idp.apply_binding(
                binding,
                str(response),
                told["destination"],
                state,
                response=True,
                sign=by_redirect,
                sigalg=SIG_RSA_SHA256,
            )
        )

    def end(self, who: str) -> None:
        idp = self.server.idp
        name_id, service = self.server.signed_in[who]
        (endpoint,) = idp.metadata.single_logout_service(service, BINDING_SOAP, "spsso")
        _, message = idp.create_logout_request(
            endpoint["location"], service, name_id=name_id, sign=True, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256
        )
        bound = idp.apply_binding(BINDING_SOAP, str(message), endpoint["location"])
        # A browser knows that *.localhost is this machine; this program does not.
        parts = urlsplit(endpoint["location"])
        headers = {
            "Host": parts.netloc,
            "Content-Type": "text/xml",
            "SOAPAction": "http://www.oasis-open.org/committees/security",
        }
        request = Request(f"http://127.0.0.1:{parts.port}{parts.path}", bound["data"].encode(), headers)
        with urlopen(request, timeout=60) as answer:
            # As it came: pysaml2 writes what is in an envelope anew, with other prefixes, and so verifies only itself.
            self.answer(200, answer.read().decode())

    def bound(self, made: dict[str, Any]) -> None:
        headers = dict(made["headers"])
        body = made["data"] if isinstance(made["data"], str) else "".join(made["data"])
        self.answer(made.get("status") or (303 if "Location" in headers else 200), body, headers)

    def answer(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *values: object) -> None:
        print(format % values, file=sys.stderr, flush=True)


class Listener(ThreadingHTTPServer):
    def __init__(self, told: dict[str, str]) -> None:
        self.url = told["url"]
        self.idp = configured(told)
        self.asked: dict[str, tuple[Any, str]] = {}
        self.signed_in: dict[str, tuple[NameID, str]] = {}
        super().__init__(("127.0.0.1", urlsplit(self.url).port or 0), Pages)


if __name__ == "__main__":
    listener = Listener(json.loads(Path(sys.argv[1]).read_text()))
    print("ready", flush=True)
    listener.serve_forever()
