"""The organisations among which people find theirs where they sign in: tables in, an index that is searched out.

`index` is what is made of all tables, an SQLite file with full-text search (FTS5) that is replaced whole; `indexing` is
the process that makes it, aside; `keeper` has it made again when a table changes, in the supervisor alone. `search`
asks for a worker, in a thread of its own. What words mean is pure: `identity.organisation_words`. `etalab` reads a
public list. Begin in `search`.
"""
