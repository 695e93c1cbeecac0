"""Valid files to one plan of bytes, and in each worker the plan to the snapshot.

`compiler`   files to a plan, or every problem; begin here
`planning`   models to the plan
`plan`       the plan: one line a step
`build`      the plan to the snapshot, step by step, without YAML and without the validator
`cel`        `when:` in CEL, compiled
`process`    what goes to the process that compiles, and what comes back
"""
