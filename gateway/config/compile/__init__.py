"""Valid files to one plan of bytes, and in each worker the plan to the snapshot. Begin in `compiler`.

`compiler`              files to a plan, in order, or every problem
`plan`                  the plan: one value a line, as bytes; `model.codec` carries it
`gateway`, `provider`, `directory`, `design`
                        models to the values of the plan; `frozen` carries over what has one name in both
`app`                   an application's file likewise. Parts of it: `form_login`, `login_paths`, `rates`, `tokens`
`build`, `rules`        the plan to the snapshot, step by step, without YAML and without the validator
`cel`                   expressions in CEL; `cel_tree` and `cel_bound`: what one can cost at most, in steps and bytes
`process`               what goes to the process that compiles, and what comes back
"""
