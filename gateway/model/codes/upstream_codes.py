"""Codes of applications that do not answer, answer wrongly, or are at their limit."""

from gateway.model.codes.code import Code

# upstream
CONNECT = Code("upstream.connect", 502, "The application does not answer", "Wait a moment, then reload this page.")
ADDRESS = Code(
    "upstream.address",
    502,
    "The address of the application is not allowed",
    "Its settings name an address that is not allowed. Give the reference below to your support.",
)
RESET = Code("upstream.reset", 502, "The application interrupted its answer", "Wait a moment, then reload this page.")
RESPONSE = Code(
    "upstream.response",
    502,
    "The application sent an incorrect answer",
    "Try again; if it continues, tell your support.",
)
TIMEOUT = Code("upstream.timeout", 504, "The application takes too long", "Wait a moment, then reload this page.")
# The text is not in its declared charset: a rewrite of non-ASCII text may miss a match
REWRITE_CHARSET = Code("rewrite.charset", 0)
BUSY = Code(
    "upstream.busy",
    503,
    "The application is very busy at the moment",
    "Many people use it at once. Wait a moment, then reload this page.",
)
NONE = Code(
    "upstream.none",
    503,
    "The application is out of service at the moment",
    "None of its servers answers. Wait a moment, then reload this page.",
)
