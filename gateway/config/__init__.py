"""The policy folder: from files to the snapshot that serves. Begin in `compile.compiler`.

`folder`      the files on disk, read once into frozen bytes: only this part opens files
`yaml`        a YAML document: values with their places; the layout of `ecluse fmt`
`schema`      the models that validate files, and the schemas for editors
`presets`     known settings of common providers, by name
`draft`       the texts of first files: proposed from a provider's documents
`check`       checks across files: names, fences, levels, secrets, certificates
`compile`     valid files to one plan of bytes, and in each worker the plan to the snapshot, in small steps
`snapshot`    the compiled gateway that serves: immutable, swapped by one assignment. Parts: `host_applications`,
              `upstream_settings`, `exchange_limits`, `path_translations`, `api`
`keyring`     our own keys by id and dates, in a file of their own

`problems` collects every problem with its place: a check does not stop at the first problem. A worker imports
`compile.build` and its dependencies, never the YAML reader nor the validator.
"""
