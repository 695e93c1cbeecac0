"""A head that arrives in pieces: the checks run while it arrives, so malformed or endless heads end early."""

from typing import Final

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade, HttpRequestParser

from gateway.config.snapshot import Limits
from gateway.model.codes import limit_codes, wire_codes
from gateway.model.errors import GatewayError

# The method, the version, blanks and line end beside the target.
_LINE_EXTRA: Final = 40


class PartialHead:
    """Feeds a parser without keeping its result. The whole head is parsed again once complete."""

    __slots__ = ("_fed", "_parser")

    def __init__(self) -> None:
        self._parser = HttpRequestParser(object())
        self._fed = 0

    def feed(self, data: bytes, limits: Limits) -> None:
        """`data`: the head so far. Raises GatewayError."""
        check_size(data, limits)
        try:
            self._parser.feed_data(data[self._fed :])
        except HttpParserUpgrade:
            pass
        except HttpParserInvalidMethodError as error:
            raise GatewayError(wire_codes.METHOD, str(error)) from None
        except HttpParserError as error:
            raise GatewayError(wire_codes.SYNTAX, str(error)) from None
        self._fed = len(data)


def check_size(data: bytes, limits: Limits) -> None:
    """Counts bytes and lines in total, however split (RFC 6585 5, RFC 9110 15.5.15). Raises GatewayError."""
    line_end = data.find(b"\n")
    line = len(data) if line_end < 0 else line_end
    if line > limits.url + _LINE_EXTRA:
        raise GatewayError(limit_codes.URL, f"request line of over {limits.url} bytes")
    if len(data) - line > limits.headers_bytes:
        raise GatewayError(limit_codes.HEADERS, f"over {limits.headers_bytes} bytes")
    if data.count(b"\n") > limits.headers_count + 2:
        raise GatewayError(limit_codes.HEADERS, f"over {limits.headers_count} header lines")
