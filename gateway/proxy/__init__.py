"""The data plane: all that a proxied request touches. Callbacks over a C parser; no task, timer or object graph
each.

`client` (over `reading` and `lasting`) is the connection of a client; `exchange` declares what stands at the other end
of its request: a connection in `upstream`, or `portal_exchange`. `http1` has heads and bodies as bytes. A request goes
`reading`, `request`, `tables`, `walk`, which asks `gateway.access` what is to be done, and `upstream`. `lane` is what
one application is here. What ends at ourselves goes by `portal_lane` and `refusals`. `admission` counts connections,
`timers` ends what takes too long, `revalidation` looks again at what is under way. `dataplane` is what a worker's
connections share. Begin in `walk`.
"""
