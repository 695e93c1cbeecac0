"""Processes: one supervisor, its workers, and what they tell each other.

`supervisor` owns the files as read, the listening sockets and the workers (`fleet`); `compiling` has a helper make a
plan, `token_keys` adds the keys that the gateway makes itself, `rollout` takes it into all workers or none. `worker` is
the other end of the `channel`, `acceptors` the worker's sockets. `admin` answers for health and metrics, `control`
takes `ecluse reload`. What a worker serves is joined in `gateway.app`. Begin in `supervisor`.
"""
