"""`forward_auth`: servers in front that pass requests on to applications themselves, and ask the gateway about each
request first."""

from typing import Literal

from gateway.config.schema.types import Maybe, QuestionHost, Secret, Strict

FrontName = Literal["nginx", "haproxy", "caddy", "traefik", "envoy", "oauth2-proxy"]


class ForwardAuthSection(Strict):
    """Servers in front that pass requests on to applications themselves, and ask the gateway about each request
    first."""

    secret: Secret
    """At least 32 letters, digits and signs, drawn at random, which the server in front sends with each question
    (`X-Ecluse-Front`). Only a server of `trusted_proxies` that shows them is answered."""
    host: Maybe[QuestionHost] = None
    """The name or IPv4 address by which a front reaches Écluse, where its questions do not have the browser's host
    (Traefik). Nothing but questions is answered there."""
