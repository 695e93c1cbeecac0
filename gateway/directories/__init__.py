"""I/O with shared directories, which add attributes to the identity from a person's provider. Start at `lookups`.

For a worker:
- `lookups` queries all directories of one sign-in in parallel.
- `source` is the interface of every kind of directory, with the parts that kinds share.
- `kinds` opens the source of a kind: `file_reader`, `ldap_reader`, `http_reader`, `postgresql_reader`, `sqlite_file`.
- `ldap_filter`, `ldap_start_tls` and `ldap_sockets` belong to LDAP; `http_token` and `json_rows` to HTTP; `sql_rows` to
  both databases. `kept_connections` and `received` belong to the libraries that block in threads.

For the supervisor, on top of `ops.index_keeper`:
- `keeper` keeps an index of each CSV and JSON file.
- `indexing` is the process that makes an index, `tables` reads the rows of a file, `index` is the SQLite file.

For operators: `orders` (look people up again), `by_hand` (one query from the command line), `elus` (a table made from
the published files of élus).
"""
