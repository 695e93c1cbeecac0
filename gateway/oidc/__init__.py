"""OpenID Connect, pure: bytes, values and `now` in, values or an error out.

In the order of a sign-in: `discovery`, `authorization`, `token`, `id_token`, `userinfo`; then `refresh`, `end_session`,
`logout_token`, `revocation`. Each module has the request and the response of one exchange. `documents` has an exchange
as values; the caller owns the socket. `jws`, `jwe`, `claims` and `algorithms` check tokens. `client_authentication` and
`client_keys` prove who we are. `access_token` checks the tokens of programs. `announcement` reads optional members of a
discovery document, for a first provider file.
Each check stands under the section of its specification. Begin in `id_token`.
"""
