"""Sign-in, hand-over, sign-out and our own pages: coroutines from a request to a page. Begin in `app`.

- `app` has the table of paths, the dispatcher of steps and the one edge for errors. Steps return what comes next to
  `app` and never call each other.
- `services` is all that the portal is given. `report` tells the log and the counters.
- `http` is request and response, `flow` the sign-in whatever a provider speaks, `openid` and `saml` the two identity
  sources, `logout` the end of sessions, `scim` what directories tell by themselves.
- `home_page` lists the `applications` that a person can open; `session_page` lists their sessions; `language_page`
  keeps a language; `waiting` shows a page while something takes its time.
- `account_pages` links accounts of applications, `account_requests` asks for one; `let_in` asks the application's
  rules first. `organisation_names` names an organisation.
- `jwks` publishes the keys of signed tokens, `design` serves the operator's design files.
"""
