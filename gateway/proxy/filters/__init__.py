"""Responses changed or watched on their way, for the applications whose files ask for it.

`replacing` is the pure core: what is sought, and a small state that is fed a body piece by piece. `texts` says of a
response's head whether its body is a text that can be changed, and by what. `body_filter` stands between the client
connection and the connection to the application, as one exchange more (proxy/exchange.py), undoes by `codings` what
is compressed all the same, and has `finished` at its other end once all has come. `session_watch` stands there
likewise, for the end of a session that the gateway keeps: both are `between`. Begin in `body_filter`.
"""
