"""Codes of applications with limits, or at several addresses."""

from gateway.model.codes import Code

UPSTREAM_BUSY = Code(
    "upstream.busy",
    503,
    "The application has too much to do for the moment",
    "Many people use it at once. Wait a moment, then reload this page.",
)
UPSTREAM_NONE = Code(
    "upstream.none",
    503,
    "The application is out of order for the moment",
    "None of its servers answers. Wait a moment, then reload this page.",
)
