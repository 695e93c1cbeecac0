"""Codes of identity headers and cookies that cannot be made for a person."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

UNENCODABLE = Code("translation.unencodable", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
CONTROL = Code("translation.control", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
SEVERAL = Code("translation.several", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
SEPARATOR = Code("translation.separator", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
NO_ROW = Code("translation.no_row", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
DATE = Code("translation.date", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
LENGTH = Code("translation.length", 403, shared_texts.NOT_ADMITTED, shared_texts.NOT_ADMITTED_ADVICE)
BUDGET = Code(
    "translation.budget",
    403,
    "Your account has too many rights for this application",
    "Your details are too long to be sent to it. Ask the person in charge of the application to shorten them.",
)
SPEC = Code("translation.spec", 0)
