"""The pipeline as values: from a request's host and line to its outcome. Begin in `pipeline`.

- `pipeline` is one screen. Live traffic (`proxy`) and trials without serving (`trial`) call the same function.
`outcome`
  is the closed union of its results.
- Which application? `virtual_host` finds it by the host, `request_line` reads the target, `own_paths` lists our paths,
  `webdav` the further paths of a WebDAV request. `portal_access` is a portal host without an application.
- Who asks? A seat, or a `program` with an access token.
- Which decision? `application` keeps an application's decisions ready; `decision` asks policy; `shadow` compares rules
  that are not enforced.
- Which headers? `preparation` makes headers, tokens and sessions; `account` finds a person's login.
- `remembered` bounds caches, `shared_work` shares work between requests. `inbound` is the hand-over to the portal,
  `permission` the answer to a server in front.
"""
