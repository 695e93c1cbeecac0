"""The data plane: all that a proxied request touches. Callbacks over a C parser; no task, timer or object graph
each.

Two connections: `client` (over `reading` and `lasting`) and `upstream`. A request goes `reading`, `request` (or
`changes`, of a head like the one before), `places`, `lane`, `walk`, `upstream`, and back by `response`. `lane` holds
what one application makes ready: request lines and decisions, which it asks of `gateway.access`. What ends at
ourselves goes by `portal_lane` and `refusals`. `admission` counts connections, `timers` ends what takes too long,
`judging` looks again at what is under way. `dataplane` is what a worker's connections share. Begin in `walk`.
"""
