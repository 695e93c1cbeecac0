"""Codes of the session store."""

from gateway.model.codes.code import Code

# sessions and stores
UNREACHABLE = Code(
    "store.unreachable", 503, "Sign-in is temporarily unavailable", "Wait a moment, then reload this page."
)
UNREADABLE = Code("store.unreadable", 0)
