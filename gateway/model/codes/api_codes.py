"""Codes of programs that call an application with an access token."""

from gateway.model.codes.code import Code

TOKEN = Code("api.token", 401, "The access token was not accepted", "Ask for a new token, then call again.")
BOUND = Code("api.bound", 401, "The access token was not accepted", "Ask for a bearer token, then call again.")
TOO_WEAK = Code(
    "api.too_weak",
    401,
    "The access token comes from too weak a sign-in",
    "Ask for a token from a stronger or more recent sign-in.",
)
SCOPE = Code(
    "api.scope", 403, "The access token does not allow this operation", "Ask for a token with the right scope."
)
