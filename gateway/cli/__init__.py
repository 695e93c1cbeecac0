"""The command `ecluse`: one module for each command. Begin in `main`.

`main` reads the arguments and loads the one module of the command; each module has `run`. No module decides anything:
`config`, `trial`, `lint` and `server` give the results that are printed.

The folder: `check`, `lint`, `test`, `explain`, `diff`, `fmt`, `provider`, `front`
The running gateway: `serve`, `reload`, `restart`, `session`, `directory`, `doctor`
Keys, accounts, tables, metadata: `key`, `account`, `account_requests`, `organisations`, `elus`, `metadata`
Shared: `folder` (compiles a folder or prints its problems), `running` and `answers` (the control socket), `meant` (the
sessions that an operator names), `output` (standard output that reports failure), `exits` (the exit statuses)
"""
