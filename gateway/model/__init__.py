"""Frozen values, errors and tables that every package shares; the standard library alone. No input, no output.

`codes`, `errors`, `events`   the stable codes by subject; the one error type; the table of log events
`codec`                       frozen values as JSON, between processes and into stores
`ports`                       the protocols by which packages of one level call each other without importing

A person: `identity`, `assertion`, `levels`, `mandate`, `mail`, `account`, `credential`
A sign-in: `provider`, `transaction`, `session`, `kept_post`, `scim`
A decision: `decision`, `names`
An application: `balancing`, `upstream_tls`, `unix_socket`, `forward_auth`, `redirects`
The installation: `directory`, `organisations`, `store_server`, `theme`, `quoting` (texts of peers for a log line)
"""
