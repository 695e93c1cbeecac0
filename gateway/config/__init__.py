"""The policy folder: from files to the snapshot that serves.

In this order: `read` (files to frozen bytes), `yaml_reader` and `load` (bytes to the models of `schema`), the
`checks` (what no file can tell alone), `references` (secrets and certificates), `planning` (models to one plan of
bytes), `build` (the plan to a `snapshot`, in small steps, in each worker). `compile` does all of it up to the plan.
Every problem is collected with its place (`problems`), none is raised for the first. A worker imports `build` and
what it needs, never the YAML reader nor the validator. Begin in `compile`.
"""
