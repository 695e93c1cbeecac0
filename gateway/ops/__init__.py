"""Operators' view of a running gateway, and the system services that several packages share.

- `log` writes JSON lines in a thread; its events are in `model.events`.
- `counters` holds the numbers of one worker, `metrics` exposes the numbers of all workers, `zeros` lists the series
  that exist before the first count.
- `index_keeper`, in the supervisor, keeps indexes up to date with operators' files. `index_process` is the process that
  makes an index, `index_files` has the files of an index on disk.
- `child_process` runs a process that answers one question; `whole_file` replaces files as a whole; `memory_file` passes
  bytes to a library as a file.
- `client_session` and `client_tls` open HTTP and TLS to servers that the gateway queries; `upstream_tls` is TLS to
  applications, `unix_sockets` connects to applications on Unix sockets, `announced` sends a PROXY header first.
"""
