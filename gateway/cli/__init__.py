"""The command `ecluse`: one module for each command. Begin in `main`.

`main` reads the arguments and loads the module of the command; each module has `run`. The modules print results and
make none: results come from `config`, `trial`, `lint` and `server`.

The folder: `check`, `lint`, `test`, `explain`, `diff`, `fmt`, `provider`, `front`
The running gateway: `serve`, `reload`, `restart`, `session`, `directory`, `doctor`
First files: `adding` (a provider by its address)
Keys, accounts, tables, metadata: `key`, `account`, `account_requests`, `organisations`, `elus`, `metadata`
Shared: `folder` (compiles a folder), `saying` (prints problems and JSON), `running` and `answers` (the control socket),
`meant` (the sessions that an operator names), `output` (standard output that reports failure), `exits` (the exit
statuses)
First files also share: `questions`, `fingerprints`, `new_files`, and `first_steps` (their arguments)
"""
