"""The session store of one machine: a SQLite file in the state folder. `store` implements records.RecordStore.

Database: `file` makes and checks it, `statements` has every statement, `purge` removes ended records.
Threads: `thread` does jobs in order; `reader` reads, `writer` writes.
`owner`: elects the process for housekeeping.
`mending`: replaces a damaged file.
`room`: reserves disk space for ends.
"""
