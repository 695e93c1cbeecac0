"""Codes of shared directories."""

from gateway.model.codes.code import Code

AWAY = Code(
    "directory.away",
    503,
    "Your details cannot be looked up at the moment",
    "A directory does not answer. Wait a moment, sign out if you are signed in, then start again from the "
    "application. If this continues, give the reference below to your support.",
)
FILE = Code("directory.file", 0)
UNREACHABLE = Code("directory.unreachable", 0)
CERTIFICATE = Code("directory.certificate", 0)
DENIED = Code("directory.denied", 0)
ANSWER = Code("directory.answer", 0)
ADDRESS = Code("directory.address", 0)
ROWS = Code("directory.rows", 0)
VALUE = Code("directory.value", 0)
KEY = Code("directory.key", 0)
GONE = Code("directory.gone", 0)
ORGANISATION = Code("directory.organisation", 0)
