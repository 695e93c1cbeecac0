"""Codes of sign-outs."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

CROSS_SITE = Code(
    "logout.cross_site", 403, "You are still signed in", "Use the sign-out button of this page to sign out."
)
REQUEST = Code(
    "logout.request",
    403,
    "You may still be signed in here",
    "The sign-out request of your organisation's sign-in service was refused. Use the button of this page to sign "
    "out here.",
)
STATE = Code(
    "logout.state", 400, "This sign-out page is too old", "You can close it: the sessions that you ended stay ended."
)
FRONT_CHANNEL = Code("logout.front_channel", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
