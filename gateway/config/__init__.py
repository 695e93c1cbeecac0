"""The policy folder: from files to the snapshot that serves. Begin in `compile.compiler`.

`folder`      what lies on disk, read once into frozen bytes: the only part that opens files
`yaml`        one document: its values, each with its place; the layout that `ecluse fmt` gives it
`schema`      what a file may say: the models that validate it, and the schemas for editors
`presets`     what is known of providers, by name
`check`       what no file can tell alone: names, fences, levels, secrets, certificates
`compile`     valid files to one plan of bytes, and in each worker the plan to the snapshot, in small steps
`snapshot`    what serves: immutable, swapped by one assignment. Parts of it: `host_applications`, `upstream_settings`,
              `exchange_limits`, `path_translations`
`keyring`     our own keys by id and dates, in a file that others name

Every problem is collected with its place (`problems`), none is raised for the first. A worker imports `compile.build`
and what it needs, never the YAML reader nor the validator.
"""
