"""OpenID Connect and what it stands on, pure: bytes, values and `now` in, values or an error out.

In the order of a sign-in: `discovery`, `authorization`, `token`, `id_token`, `userinfo`; then `refresh`, `end_session`,
`logout_token`, `revocation`. Each has its request and its response. Beneath: `jws`, `jwe`, `claims`, and `documents`,
which has an exchange as values; the caller owns the socket. `access_token` is for programs.
Each check stands under its section of the specification. Begin in `id_token`.
"""
