"""`forward_auth`: servers in front that pass requests on to applications themselves, and ask the gateway about each
request first."""

from typing import Literal

from gateway.config.schema.types import Maybe, QuestionHost, Secret, Strict

FrontName = Literal["nginx", "haproxy", "caddy", "traefik", "envoy", "oauth2-proxy"]


class ForwardAuthSection(Strict):
    """Servers in front that pass requests on to applications themselves, and ask the gateway about each request
    first."""

    secret: Secret
    """At least 32 random letters, digits and signs, which the server in front sends with each question
    (`X-Ecluse-Front`). The gateway answers only servers of `trusted_proxies` that send them."""
    host: Maybe[QuestionHost] = None
    """The name or IPv4 address at which the server in front reaches Écluse, if its questions do not carry the browser's
    host (Traefik). This host answers only questions."""
