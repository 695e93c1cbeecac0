"""The search for an organisation at sign-in: reads the tables, writes an index, searches the index.

`index` is the index of all tables: an SQLite file with full-text search (FTS5), replaced as a whole. `indexing` is the
separate process that writes the index. `keeper`, in the supervisor alone, orders a new index when a table changes.
`search` queries the index for a worker, in a thread of its own. The pure rules for words are in
`identity.organisation_words`. `etalab` reads a public list. Start at `search`.
"""
