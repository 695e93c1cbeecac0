"""OpenID Connect and what it stands on, pure: bytes, values and `now` in, values or an error out.

In the order of a sign-in: `discovery`, `authorization_request`, `authorization` (its response; `jarm` where
it is signed), `token`, `id_token`, `userinfo`; then `refresh`, `end_session`, `logout_token`, `revocation`. Beneath:
`jws`, `jwe`, `jwks`, `claims`, `documents`. `access_token` is for programs. Each check stands under its section of
the specification. Who sends a request owns the socket: `call` is the exchange as values. Begin in `id_token`.
"""
