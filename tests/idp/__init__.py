"""SAML identity providers that none of us wrote, as parts of the tests: `lemonldap` and `pysaml`."""
