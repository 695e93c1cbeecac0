"""Codes of requests whose bytes break a rule of HTTP, or a rule of the gateway that is stricter."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

# wire: faults in the bytes of a request
TARGET = Code("wire.target", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
HOST = Code("wire.host", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
HEADER = Code("wire.header", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
FRAMING = Code("wire.framing", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
SYNTAX = Code("wire.syntax", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
COOKIE = Code(
    "wire.cookie", 400, shared_texts.BAD_REQUEST, "Clear this site's cookies in your browser, then try again."
)
VERSION = Code("wire.version", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
METHOD = Code("wire.method", 405, "This kind of request is not accepted", shared_texts.BAD_REQUEST_ADVICE)
METHOD_OVERRIDE = Code(
    "wire.method_override",
    400,
    "This kind of request is not accepted",
    "The page sent one operation under the name of another. Give the reference below to your support.",
)
UPGRADE = Code(
    "wire.upgrade",
    400,
    "This kind of request is not accepted",
    "The page asked for a lasting connection, such as a WebSocket. Such connections are not supported here.",
)
WEBSOCKET = Code("wire.websocket", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
WEBSOCKET_VERSION = Code("wire.websocket_version", 426, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
ORIGIN = Code(
    "wire.origin",
    403,
    "This request came from another site",
    "Only pages of this application may open such a connection. Open the application itself, then try again.",
)
EXPECT = Code("wire.expect", 417, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
