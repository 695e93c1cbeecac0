"""Codes of SCIM: requests of directories that tell the gateway about people."""

from gateway.model.codes.code import Code

_REFUSED = "The data sent by a directory was refused"
_REFUSED_ADVICE = "This address is for directories only. The answer says what is wrong with the request."
TOKEN = Code("scim.token", 401, _REFUSED, _REFUSED_ADVICE)
ADDRESS = Code("scim.address", 404, _REFUSED, _REFUSED_ADVICE)
METHOD = Code("scim.method", 405, _REFUSED, _REFUSED_ADVICE)
USER = Code("scim.user", 404, _REFUSED, _REFUSED_ADVICE)
TAKEN = Code("scim.taken", 409, _REFUSED, _REFUSED_ADVICE)
TOO_MANY = Code("scim.too_many", 400, _REFUSED, _REFUSED_ADVICE)
MEDIA_TYPE = Code("scim.media_type", 415, _REFUSED, _REFUSED_ADVICE)
SYNTAX = Code("scim.syntax", 400, _REFUSED, _REFUSED_ADVICE)
FILTER = Code("scim.filter", 400, _REFUSED, _REFUSED_ADVICE)
PATH = Code("scim.path", 400, _REFUSED, _REFUSED_ADVICE)
VALUE = Code("scim.value", 400, _REFUSED, _REFUSED_ADVICE)
MUTABILITY = Code("scim.mutability", 400, _REFUSED, _REFUSED_ADVICE)
