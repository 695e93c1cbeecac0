"""The command `ecluse`: one module for each command, and what they share.

Begin in `main`, which reads the arguments and loads the one module that is asked for; each has `run`. `folder`
compiles a policy folder, or prints what is wrong in it; `exits` has the exit statuses, from which the reference is
written; `output` says so when standard output cannot be written. Nothing here decides anything: what is printed comes
from `config`, `trial`, `lint` and `server`.
"""
