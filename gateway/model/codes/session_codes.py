"""Codes of requests without a sufficient session."""

from gateway.model.codes.code import Code

REQUIRED = Code("session.required", 401, "Please sign in", "This page is for people who are signed in.")
NONE = Code(
    "session.none",
    401,
    "No session is open in this browser",
    "Your applications ask you to sign in when you open them.",
)
LIMIT = Code(
    "session.limit",
    401,
    "You have signed in elsewhere",
    "You have reached the limit of browsers, so your oldest session ended. Sign in again to go on here: your oldest "
    "session in another browser will then end.",
)
TOO_WEAK = Code(
    "session.too_weak",
    401,
    "Please sign in again",
    "This page asks for a stronger or a more recent sign-in than yours. Sign in again to go on.",
)
