"""The pipeline as values: from a request's host and line to what is to be done with it.

`pipeline` is the whole of it on one screen: its function asks `virtual_host` and `request_line` what is wanted, the
seat or a program's token (`program`) who asks, and `application` what was decided, which keeps `decision` and what is
prepared ready; `preparation` adds tokens, which end, and sessions of applications. `remembered` bounds what is kept.
`outcome` is the closed union that the function returns. `shared_work` is for what has to be awaited and several
requests need; `inbound` is what the portal is handed, `permission` what a server in front is told. `shadow` compares
rules that are not enforced. Live traffic (`proxy`) and what tries requests without serving (`trial`) ask the same
function. Begin in `pipeline`.
"""
