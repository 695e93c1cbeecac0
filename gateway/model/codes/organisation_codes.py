"""Codes of the list of organisations."""

from gateway.model.codes.code import Code

FILE = Code("organisations.file", 0)
