"""Codes of the session store."""

from gateway.model.codes.code import Code

# sessions and stores
UNREACHABLE = Code(
    "store.unreachable", 503, "Sign-in is out of order for a moment", "Wait a moment, then reload this page."
)
UNREADABLE = Code("store.unreadable", 0)
