"""Sign-in, hand-over, sign-out and our own pages: coroutines from a request to a page.

`app` has the table of paths, the dispatcher of steps and the one edge for errors. `http` has the portal's request and
responses. A sign-in goes through `flow`, and through `openid` or `saml` while a provider is asked. Sign-outs are in
`logout`. `session_page` shows people their sessions, `report` tells the log and the counters, `ports` says what the
portal needs of its siblings. Steps return what comes next to `app` and never call each other. Begin in `app`.
"""
