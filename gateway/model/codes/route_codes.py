"""Codes of hosts and paths without an application."""

from gateway.model.codes.code import Code

# routes and policy: reasons of decisions
RESERVED = Code("route.reserved", 404, "Page not found", "Check the address, or go back to the application.")
HOST_UNKNOWN = Code("route.host_unknown", 421, "No application here", "Check the address: no application uses it.")
HOST_UNREAD = Code(
    "route.host_unread",
    421,
    "No application answers here at the moment",
    "The settings of an application, perhaps this one, cannot be read. Check the address. If it is right, try again "
    "later, or give the reference below to your support.",
)
APP_CLOSED = Code(
    "route.app_closed",
    503,
    "This application is closed for the moment",
    "Its settings are being corrected. Try again later, or give the reference below to your support.",
)
