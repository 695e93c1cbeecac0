"""Responses changed or watched in transit, for applications whose files ask for it.

`replacing` is the pure core: the texts to find, and a small state fed with a body piece by piece. `texts` decides from
a response's head whether the body is text that can be changed, and with which replacements. `body_filter` stands
between the client connection and the connection to the application, as a further exchange (proxy/exchange.py).
`codings` decompresses a body that was compressed against the request. `finished` replaces the application's end once
the response has arrived. `session_watch` detects the end of a session that the gateway keeps at an application.
`between` is the part that both share. Begin in `body_filter`.
"""
