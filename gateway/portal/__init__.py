"""Sign-in, hand-over, sign-out and our own pages: coroutines from a request to a page.

`app` has the table of paths and the one edge for errors. A sign-in goes `challenge`, `start`, `login`, `callback`,
`start`, `enter`; with SAML, the package `saml` stands in the place of `login` and `callback`. Sessions and seats are
made in `flow.establish` alone. A sign-out goes `logout`, `leaving`; from the provider, `backchannel` and
`frontchannel`. `renewal` refreshes tokens apart from requests, `callers` sees to programs. Steps return outcomes to
`start` and never call each other. `visit` is one request as they read it, `pages` what they answer, `report` what the
log learns. Begin in `start`.
"""
