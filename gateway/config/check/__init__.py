"""What no file can tell alone. Each check takes valid models and yields problems with their places. Begin in `folder`.

`folder`              all checks, in order; names that occur twice; gateway.yaml and the providers
`app`                 one application's file against itself and its providers. Parts of it: `account`, `api`, `cookies`,
                      `form_login`, `tokens`, `translate`, `path_blocks`, `mounts`, `webdav`, `budget`
`conditions`          what conditions name: shared conditions, lists, attributes, levels, expressions
`teams`               application files against their team's fence; `schema.fence` has the words of each key
`divided_hosts`       applications that share a host; `shadows` are files that stand beside a live one; `fronts`
                      servers in front
`directories`         directories against providers and applications; `directory_servers` their servers; `scim`
`references`          secrets, certificates and metadata: there, and usable (`pem`, `keyrings`)
`theme`               how our own pages look
`extras`              libraries that are installed only where a file needs them
"""
