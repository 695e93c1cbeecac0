"""What no file can tell alone. Each check takes valid models and yields problems with their places.

`folder`         all checks, in order; names that occur twice; gateway.yaml and the providers
`app`            one app against itself and its providers; `api` and `form_login` are parts of it
`conditions`     what conditions name: shared conditions, lists, attributes, levels, expressions
`teams`          app files against their team's fence; `schema.fence` has the words that say what bounds each key
`shadows`        files that stand beside a live one
`references`     secrets, certificates and metadata: there, and usable (`pem`)
`extras`         libraries that are installed only where a file needs them
"""
