"""Sessions, seats and sign-ins under way, sealed; on SQLite or in memory, behind one conformance suite.

`sessions`, `tickets` (of sign-ins under way), `cookie_jars`, `application_sessions`, `login_tries` and `sign_out_notes`
say what is kept, and `sealing` and `codec` how it is closed and opened: a store sees random ids and sealed bytes alone
(invariant 8). `records` is what every store does, in steps that touch one tag; `memory` and `sqlite` do it.
The `sqlite_*` modules are threads, statements, purge and mending of the file. `housekeeping` is what a worker does
beside its requests. Begin in `sessions`.
"""
