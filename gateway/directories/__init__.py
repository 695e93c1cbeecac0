"""I/O towards shared directories: what they say of people beyond what their provider says. Begin in `lookups`.

For a worker:
- `lookups` asks all directories of one sign-in side by side.
- `source` is the interface that every kind of directory has, with the parts that kinds share.
- `kinds` opens the source of a kind: `file_reader`, `ldap_reader`, `http_reader`, `postgresql_reader`, `sqlite_file`.
- `ldap_filter`, `ldap_start_tls` and `ldap_sockets` belong to LDAP; `http_token` and `json_rows` to HTTP; `sql_rows` to
  both databases. `kept_connections` and `received` belong to the libraries that wait in threads.

For the supervisor:
- `keeper` watches the CSV and JSON files and has a new index made when one changes.
- `indexing` is the process that makes an index, `tables` reads the file's rows, `index` is the SQLite file made.

For operators: `orders` (look people up again), `by_hand` (one question from the command line), `elus` (a table made of
the published files of élus).
"""
