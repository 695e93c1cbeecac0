"""Codes of requests that the portal cannot read."""

from gateway.model.codes import shared_texts
from gateway.model.codes.code import Code

PARAMETERS = Code("portal.parameters", 400, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
BODY = Code("portal.body", 415, shared_texts.BAD_REQUEST, shared_texts.BAD_REQUEST_ADVICE)
