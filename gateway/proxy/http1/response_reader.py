"""The C parser of responses, shared by the connections under one ResponseHeads.

A parser per connection was the larger half of an idle connection's memory, and a worker with many applications has
thousands of connections.
"""

from httptools import HttpResponseParser


class ResponseReader:
    """The C parser of many connections: a head is fed whole, and the result is taken before the next head.

    `fields`: the first line of each name in the last head.
    `stale`: the last input was not one whole response (HEAD, a body counted outside the parser, unread bytes). The next
    head gets a reset parser, so leftovers cannot affect the next result.
    """

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
