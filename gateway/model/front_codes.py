"""Codes of questions that a server in front asks about requests that it passes on itself."""

from gateway.model.codes import Code

_CLOSED = "This address is for the server in front of the application. Go back to the application."
FRONT_UNKNOWN = Code("front.unknown", 403, "You may not open this page", _CLOSED)
FRONT_QUESTION = Code(
    "front.question",
    400,
    "This request cannot be understood",
    "Go back to the application. If this happens again, give the reference below to your support.",
)
FRONT_OTHER = Code(
    "front.other",
    403,
    "The application is not set up to be reached in this way",
    "Give the reference below to your support.",
)
FRONT_HEADER = Code(
    "front.header",
    400,
    "This request says who you are in a way that is not allowed",
    "Only the gateway tells the application who you are. If you use a program or an extension that adds headers, "
    "switch it off, then try again.",
)
