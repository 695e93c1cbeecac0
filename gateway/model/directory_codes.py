"""Stable codes about shared directories, beside those of `codes`."""

from gateway.model.codes import Code

DIRECTORY_AWAY = Code(
    "directory.away",
    503,
    "What this application needs to know of you cannot be looked up",
    "A directory does not answer. Wait a moment, sign out if you are signed in, then start again from the application. "
    "If this lasts, give the reference below to your support.",
)
DIRECTORY_FILE = Code("directory.file", 0)
DIRECTORY_UNREACHABLE = Code("directory.unreachable", 0)
DIRECTORY_CERTIFICATE = Code("directory.certificate", 0)
DIRECTORY_DENIED = Code("directory.denied", 0)
DIRECTORY_ANSWER = Code("directory.answer", 0)
DIRECTORY_ADDRESS = Code("directory.address", 0)
DIRECTORY_ROWS = Code("directory.rows", 0)
DIRECTORY_VALUE = Code("directory.value", 0)
DIRECTORY_KEY = Code("directory.key", 0)
DIRECTORY_GONE = Code("directory.gone", 0)
DIRECTORY_ORGANISATION = Code("directory.organisation", 0)
