"""OpenID Connect in the portal.

`login` sends a person to their provider, `callback` takes what comes back. `renewal` refreshes tokens apart from
requests, `programs` knows callers by the tokens that they bring. Providers end sessions through `backchannel` and
`frontchannel`. `client_keys` publishes our public keys. What a message may say is judged in `oidc`, and the messages
are carried by `federation`. Begin in `login`.
"""
