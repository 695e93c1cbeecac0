"""Stable codes of SCIM: what a directory tells of people by itself, and the sign-in of people whom it deactivated."""

from gateway.model.codes import Code

_REFUSED = "What a directory told us was refused"
_REFUSED_ADVICE = "This address is for directories alone. Its answer says what is wrong with the request."

SCIM_TOKEN = Code("scim.token", 401, _REFUSED, _REFUSED_ADVICE)
SCIM_ADDRESS = Code("scim.address", 404, _REFUSED, _REFUSED_ADVICE)
SCIM_METHOD = Code("scim.method", 405, _REFUSED, _REFUSED_ADVICE)
SCIM_USER = Code("scim.user", 404, _REFUSED, _REFUSED_ADVICE)
SCIM_TAKEN = Code("scim.taken", 409, _REFUSED, _REFUSED_ADVICE)
SCIM_TOO_MANY = Code("scim.too_many", 400, _REFUSED, _REFUSED_ADVICE)
SCIM_MEDIA_TYPE = Code("scim.media_type", 415, _REFUSED, _REFUSED_ADVICE)
SCIM_SYNTAX = Code("scim.syntax", 400, _REFUSED, _REFUSED_ADVICE)
SCIM_FILTER = Code("scim.filter", 400, _REFUSED, _REFUSED_ADVICE)
SCIM_PATH = Code("scim.path", 400, _REFUSED, _REFUSED_ADVICE)
SCIM_VALUE = Code("scim.value", 400, _REFUSED, _REFUSED_ADVICE)
SCIM_MUTABILITY = Code("scim.mutability", 400, _REFUSED, _REFUSED_ADVICE)

LOGIN_DEACTIVATED = Code(
    "login.deactivated",
    403,
    "Your access was ended by your organisation",
    "The directory of your organisation says that your account is not active any more. "
    "If this is a mistake, tell your organisation's support, and give the reference below.",
)
