"""OpenID Connect as an identity source.

`source` sends a person to their provider, takes what comes back, and leads them there to be signed out. A provider
ends sessions through `provider_logout`. `renewal` refreshes tokens apart from requests, `programs` knows callers by the
tokens that they bring. What a message may say is judged in `oidc`, and `federation` carries the messages. Begin in
`source`.
"""
