"""Codes of programs that call an application with an access token."""

from gateway.model.codes.code import Code

TOKEN = Code("api.token", 401, "The access token was not accepted", "Ask for a new one, then call again.")
BOUND = Code("api.bound", 401, "The access token was not accepted", "Ask for a bearer token, then call again.")
TOO_WEAK = Code(
    "api.too_weak", 401, "The access token is of too weak a sign-in", "Ask for one of a stronger or newer sign-in."
)
SCOPE = Code("api.scope", 403, "The access token is not for this", "Ask for one with the right scope.")
