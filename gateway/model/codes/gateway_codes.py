"""Codes of the gateway itself and of its listeners."""

from gateway.model.codes.code import Code

FAULT = Code("gateway.fault", 500, "Something went wrong here", "Give the reference below to your support.")
LISTEN_PROXY_SOURCE = Code("listen.proxy_source", 0)
LISTEN_PROXY_HEADER = Code("listen.proxy_header", 0)
