"""What a sign-in does, whatever protocol the provider speaks.

`establish` is the one way from what a provider has proven to a session, a renewed session or a program's seat: the
perimeter, then the tenant, then the session under a new id. Sign-ins by OpenID and SAML, `portal.renewal` and
`portal.callers` go through it; nothing else in the portal makes a session or a seat. Begin in `establish`.
"""
