"""`forward_auth`: servers in front that pass requests on to applications themselves, and ask about each one before."""

from typing import Literal

from gateway.config.schema.types import Secret, Strict

FrontName = Literal["nginx", "haproxy", "caddy"]


class ForwardAuthSection(Strict):
    """Servers in front that pass requests on to applications themselves, and ask here about each one before."""

    secret: Secret
    """At least 32 letters, digits and signs, drawn at random, which the server in front sends with each question
    (`X-Ecluse-Front`). Only a server of `trusted_proxies` that shows them is answered."""
