"""Écluse: an identity-aware reverse proxy for applications that speak neither SAML nor OpenID Connect."""

__version__ = "0.1.0"
