"""Processes: one supervisor, its workers, and the messages between them. Begin in `supervisor`.

The supervisor owns the files as read, the listening sockets and the workers:
`supervisor`, `fleet`               what is live, and the worker processes
`compiling`, `rollout`              a helper compiles a plan; all workers take the plan, or none
`replacement`, `fixed`, `keyrings`  may a new folder replace the served one; settings that need a restart; changed keys
`token_keys`, `sources`             keys that the gateway makes; metadata, tables and provider looks kept fresh
`provider_verdicts`, `watching`     results of provider looks to the workers; the optional watch of the folder
`ends`                              an end of sessions, in force in every worker before the answer

The other side of each channel:
`worker`, `channel`, `acceptors`    a worker's side; the socket pair; accepting connections
`loop_stalls`, `garbage`, `faults`  how long the loop stood still; collections; faults outside of requests

Sockets: `listeners`, `inherited`, `own_addresses`, `tls`, `proxy_header`
Answers to operators: `admin`, `observation`, `totals`; `control`, `control_keeper`, `questions`
Restart and several gateways: `restart`, `succession`, `taking_over`, `caretaker`, `service_manager`, `liveness_probe`
The state folder: `state`. What a worker serves is joined in `gateway.app`.
"""
