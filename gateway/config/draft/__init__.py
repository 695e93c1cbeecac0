"""The texts of first files, for `ecluse provider add` and `ecluse init`. Pure.

`openid` and `saml` propose the settings of a provider from the documents. `provider` writes a provider file, `words`
a single value.
"""
