"""What operators see of a running gateway.

`log` writes one JSON object a line, by a thread, and names people there without saying who they are; its events are in
`model.events`. `counters` are plain numbers of one worker, `metrics` their exposition, `zeros` the series that are
there before anything is counted.

Beside these stands what several packages need of the system: `client_session` and `client_tls` towards servers that we
ask, `unix_sockets`, `memory_file`, and `child_process`, a process that is asked one thing.
"""
