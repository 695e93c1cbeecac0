"""The data plane: all that a proxied request touches. Callbacks over a C parser; no task, timer or object graph
each.

Two connections: `client` (over `reading` and `lasting`) and `upstream`. A request goes `reading`, `request` (or
`changes`, of a head like the one before), `tables`, `walk`, which asks `gateway.access` what is to be done, `upstream`,
and back by `response`. `lane` is what one application is here. What ends at ourselves goes by `portal_lane` and
`refusals`. `admission` counts connections, `timers` ends what takes too long, `revalidation` looks again at what is
under way. `dataplane` is what a worker's connections share. Begin in `walk`.
"""
