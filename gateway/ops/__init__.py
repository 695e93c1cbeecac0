"""What operators see of a running gateway, and what several packages need of the system.

- `log` writes JSON lines in a thread; its events are in `model.events`.
- `counters` are the numbers of one worker, `metrics` shows the numbers of all, `zeros` lists the series that exist
  before anything is counted.
- `child_process` runs a process that answers one question; `memory_file` gives a library bytes as a file.
- `client_session` and `client_tls` open HTTP and TLS towards servers that we ask; `upstream_tls` is TLS towards
  applications, `unix_sockets` connects to applications on Unix sockets, `announced` sends a PROXY header first.
"""
