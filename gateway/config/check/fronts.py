"""Checks the settings of servers in front that pass requests on themselves (`forward_auth`, `front`)."""

from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.scalars import Wrong
from gateway.config.yaml.reader import YamlDocument
from gateway.wire.fronts import FRONTS

_FEWEST: Final = 32
# Settings for the application's answers (of `path`: for its cookies), or for bodies: neither passes through the
# gateway.
_UNHELD: Final = ("path", "responses", "rewrite", "cookies", "timeouts", "form_login")


def check_front_secret(content: bytes) -> None:
    """RFC 9110 5.5: what every server can write into a header line. Raises Wrong, without the value."""
    if not all(0x21 <= byte <= 0x7E for byte in content):
        raise Wrong("this secret is letters, digits and signs on one line", "openssl rand -hex 32")
    if len(content) < _FEWEST:
        why = f"this secret has at least {_FEWEST} characters, and this one has {len(content)}"
        raise Wrong(why, "openssl rand -hex 32")


def check_forward_auth(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    if not model.trusted_proxies:
        message = "no server in front is listed, so that none is answered"
        yield document.problem(("forward_auth",), message, "list it in trusted_proxies", key=True)


def check_front(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    if gateway is not None and gateway.forward_auth is None:
        message = "gateway.yaml lets no server in front ask"
        yield document.problem(("front",), message, "forward_auth: {secret: {file: ...}} there, or leave front out")
    front = FRONTS.get(model.front or "")
    asks = None if gateway is None else gateway.forward_auth
    if front is not None and front.host != b"host" and asks is not None and asks.host is None:
        message = f"questions of {front.name} have another host than the browser's, and gateway.yaml does not say which"
        yield document.problem(("front",), message, "forward_auth: {host: 127.0.0.1} there")
    # How often the application is asked, the questions tell.
    unheld_limits = model.limits.model_fields_set - {"requests"}
    # A question has no body, and a front that passes our answers on sends no other.
    unheld = (*_UNHELD, *(["limits"] if unheld_limits else []), *(["keep_posts"] if front and front.passes else []))
    if model.upstream.buffer is not None:
        message = f"{model.front} passes bodies on itself, so this would have no effect"
        yield document.problem(("upstream", "buffer"), message, "leave it out, or leave front out", key=True)
    for key in unheld:
        if key in model.model_fields_set:
            message = f"{model.front} passes requests and answers on itself, so this would have no effect"
            yield document.problem((key,), message, "leave it out, or leave front out", key=True)
