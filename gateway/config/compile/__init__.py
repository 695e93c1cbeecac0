"""Valid files to one plan of bytes, and in each worker the plan to the snapshot.

`compiler`                     files to a plan, in order, or every problem; begin here
`gateway`, `provider`, `app`   models to the values of the plan; `frozen` carries over what has one name in both
`plan`                         the plan: one value a line, as bytes; `model.codec` carries it
`build`, `rules`, `cel`        the plan to the snapshot, step by step, without YAML and without the validator
`cel_tree`, `cel_bound`        what an expression in CEL can cost at most, in steps and bytes
`process`                      what goes to the process that compiles, and what comes back
"""
