"""Codes of decisions of the access policy, and of faults in it."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

ALLOWED = Code("policy.allowed", 0)
NO_RULE = Code("policy.no_rule", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
METHOD = Code("policy.method", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
NOT_ALLOWED = Code("policy.not_allowed", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
UNKNOWN = Code("policy.unknown", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
EXPRESSION = Code("policy.expression", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
DENIED = Code("policy.denied", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
_FORM_ADVICE = "The portal signs you in to this application. Open its first page again."
LOGIN_FORM = Code("policy.login_form", 403, "The application's own form is not needed", _FORM_ADVICE)
PROVIDER = Code(
    "policy.provider", 401, "Sign in with another service", "This application accepts other sign-in services."
)
# policy and translation: faults in a policy file
PATTERN = Code("policy.pattern", 0)
CONDITION = Code("policy.condition", 0)
CONFLICT = Code("policy.conflict", 0)
