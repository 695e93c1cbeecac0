"""Stable codes about the list of organisations, beside those of `codes`."""

from gateway.model.codes import Code

ORGANISATIONS_FILE = Code("organisations.file", 0)
