"""I/O towards shared directories: what they say of people beyond what their provider says.

`tables` reads a CSV or JSON file; `index` is what is made of one, an SQLite file that is replaced whole; `indexing` is
the process that makes it, aside; `keeper` has it made again when the file changes, in the supervisor alone; and
`file_reader` reads it for a worker. `ldap_reader`, `http_reader`, `postgresql_reader` and `sqlite_file` ask a source as
it is. `source` says what every kind does, `kinds` which it is. `orders` are those of operators, that people are looked
up again; `elus` makes a table of the published files of élus. `lookups` asks for a worker: all directories of one
sign-in side by side. Begin there.
"""
