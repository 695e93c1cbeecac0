"""The C parser of responses, one for all connections under one ResponseHeads.

A parser of its own was the larger half of what an idle connection held, and a worker with many applications has
thousands of these.
"""

from httptools import HttpResponseParser


class ResponseReader:
    """The C parser of many connections: each head is given to it whole, and what it found is taken before the next.

    `fields`: of each name the first line, of the head that was read last. `stale`: that was not one whole response, so
    the next gets a parser as good as new: HEAD, a body counted past it, or what was left behind cannot colour it."""

    __slots__ = (
        "fields", "on_body", "on_chunk_complete", "on_chunk_header", "on_header", "on_headers_complete",
        "on_message_begin", "on_message_complete", "on_status", "parser", "stale",
    )  # fmt: skip

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.on_header = self.fields.setdefault
        self.on_body = self.on_chunk_header = self.on_chunk_complete = self.on_status = None
        self.on_headers_complete = self.on_message_begin = self.on_message_complete = None
        self.parser = HttpResponseParser(self)
        self.stale = False
