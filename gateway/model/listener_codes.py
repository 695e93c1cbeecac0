"""Codes of connections that are closed before anything is read of a request."""

from gateway.model.codes import Code

LISTEN_PROXY_SOURCE = Code("listen.proxy_source", 0)
LISTEN_PROXY_HEADER = Code("listen.proxy_header", 0)
