"""What no file can tell alone. Each check takes valid models and yields problems with their places.

`folder`         all checks, in order, and names that occur twice
`app`            one app against itself and its providers; `api`, `paths`, `upstream` are parts of it
`levels`         levels of sign-in that nobody knows or no provider can satisfy
`shared`         what conditions name: shared conditions, lists, attributes, expressions
`teams`          app files against their team's fence; `fence_table` says for each key what bounds it
`references`     secrets, certificates and metadata: there, and usable (`pem`)
"""
