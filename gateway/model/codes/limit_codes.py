"""Codes of requests that are over a limit: of length, of time, or of number."""

from gateway.model.codes.code import Code

# limits
URL = Code("limit.url", 414, "The address is too long", "Go back and use a shorter address.")
HEADERS = Code(
    "limit.headers", 431, "The browser sent too much", "Clear this site's cookies in your browser, then try again."
)
BODY = Code("limit.body", 413, "The file or form is too large", "Send a smaller file, or ask your support.")
REQUEST_TIME = Code("limit.request_time", 408, "The request took too long", "Check your network and try again.")
REQUESTS = Code("limit.requests", 429, "Too many requests at once", "Wait a moment, then reload this page.")
CONNECTIONS = Code("limit.connections", 503, "Too many connections", "Wait a moment, then try again.")
