"""Codes of responses that are rewritten on their way."""

from gateway.model.codes import Code

# A text that is not in the charset that is said of it: what is sought beyond ASCII may be missed in it
REWRITE_CHARSET = Code("rewrite.charset", 0)
