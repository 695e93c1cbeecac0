"""The search for an organisation at sign-in: reads the tables, writes an index, searches the index.

- `search`: queries the index for a worker, in a thread of its own. Start here.
- `index`: the index of all tables, an SQLite file with full-text search (FTS5). The pure rules for words are in
  `identity.organisation_words`.
- `indexing`: the process that makes the index.
- `keeper`: keeps the index up to date, in the supervisor, on top of `ops.index_keeper`.
- `etalab`: reads a public list.
"""
