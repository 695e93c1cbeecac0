"""SAML on the portal host: asking, answers by POST and artifact, logout both ways, our metadata."""
