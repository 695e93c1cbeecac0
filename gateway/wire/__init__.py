"""HTTP as bytes, pure: one reading of every part, or a refusal.

`host` and `target` read the address of a request, `cookies` the cookie lines, `framing` the length. `headers` decides
which lines are forwarded, with `identity_headers` and `hop_by_hop`; `response_guard` decides the same for responses.
`application_cookies` and `cookie_jar` keep an application's cookies from browsers. `forwarded`, `addresses` and
`proxy_protocol` identify the client, `fronts`, `front_lines` and `front_overrides` the server in front. `fences` bounds
the addresses of applications. `navigation` tells a page from a script's call. `websocket` reads an opening handshake,
`frames` counts its frames. `mounts`, `internal_addresses`, `response_edits` and `lenient_heads` change heads of
responses. `method_override`, `webdav`, `oauth2_proxy`, `look_alikes` and `certificate_names` read what their names say.
Begin in `target`.
"""
