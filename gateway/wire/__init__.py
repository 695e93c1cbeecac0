"""HTTP as bytes, pure: one reading of every part, or a refusal.

`host` and `target` read whom and what a request is for, `cookies` its cookie lines, `framing` where it ends;
`cookie_jar` keeps what an application sets. `headers` says which lines go on, with `identity_headers` and `hop_by_hop`;
`response_guard` which of a response. `forwarded` and `addresses` say who the client is, `fronts` what a server in front
asks, `fences` where applications may listen. `navigation` tells a page from a script's call. `websocket` reads the
opening of one, and `frames` counts what goes through it. Begin in `target`.
"""
