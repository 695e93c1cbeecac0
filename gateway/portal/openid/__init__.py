"""OpenID Connect as an identity source. Begin in `source`.

`source`: signs people in and out at their provider.
`provider_logout`: ends sessions when a provider asks.
`renewal`: refreshes tokens apart from requests.
`programs`: identifies callers by their tokens.
`oidc` judges messages, and `federation` carries them.
"""
