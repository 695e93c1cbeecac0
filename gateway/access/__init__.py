"""The pipeline as values: from a request's host and line to its outcome. Begin in `pipeline`.

- `pipeline` is the whole of it on one screen. Live traffic (`proxy`) and what tries requests without serving (`trial`)
  call the same function. `outcome` is the closed union that it returns.
- Which application? `virtual_host` finds it by the host, `request_line` reads the target, `own_paths` are the paths of
  ours, `webdav` the further paths of a WebDAV request. `portal_access` is a portal host without an application.
- Who asks? A seat, or a `program` with an access token.
- What is decided? `application` keeps an application's decisions ready; `decision` asks policy; `shadow` compares rules
  that are not enforced.
- What is sent? `preparation` makes the headers, tokens and sessions; `account` finds a person's login.
- `remembered` bounds what is kept, `shared_work` shares what several requests await. `inbound` is what the portal is
  handed, `permission` what a server in front is told.
"""
