"""Requests tried without serving: what explains, tests and compares policies.

`trial` tries one request on a snapshot by the functions of `gateway.access`, as live traffic does. `explanation` says
which rules it met; `cases` and `judge` are the folder's own tests; `matrix` and `comparing` what `ecluse diff` tells.
`proving` stands before every reload: a folder whose tests fail is not taken, and a wrong application file is left out.
Begin in `trial`.
"""
