"""Codes of applications with limits, or at several addresses."""

from gateway.model.codes import Code

UPSTREAM_NONE = Code(
    "upstream.none",
    503,
    "The application is out of order for the moment",
    "None of its servers answers. Wait a moment, then reload this page.",
)
