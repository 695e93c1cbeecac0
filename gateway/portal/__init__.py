"""Sign-in, hand-over, sign-out and our own pages: coroutines from a request to a page.

`app` has the table of paths, the dispatcher of steps and the one edge for errors; `services` is all that the portal is
given. `http` has the portal's request and responses. `flow` is the sign-in, whatever a provider speaks; `openid` and
`saml` are the two identity sources, behind the one interface of `flow.source`. `logout` is the end of sessions.
`session_page` shows people their sessions, `report` tells the log and the counters. Steps return what comes next to
`app` and never call each other. Begin in `app`.
"""
