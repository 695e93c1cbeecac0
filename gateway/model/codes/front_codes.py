"""Codes of questions by a server in front that passes the requests on itself (forward auth)."""

from gateway.model.codes.code import Code

_CLOSED = "This address is for the server in front of the application. Go back to the application."
UNKNOWN = Code("front.unknown", 403, "You may not open this page", _CLOSED)
QUESTION = Code(
    "front.question",
    400,
    "This request cannot be understood",
    "Go back to the application. If this happens again, give the reference below to your support.",
)
OTHER = Code(
    "front.other",
    403,
    "The application is not set up to be reached in this way",
    "Give the reference below to your support.",
)
HEADER = Code(
    "front.header",
    400,
    "This request says who you are in a way that is not allowed",
    "Only the gateway tells the application who you are. If you use a program or an extension that adds headers, "
    "switch it off, then try again.",
)
