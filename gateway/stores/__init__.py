"""Sessions, seats and sign-ins under way, sealed. Begin in `sessions`.

Contents:
- `sessions` keeps sessions and seats. `seats`: a worker's memory of seats. `new_session`: a session before its first
write. `session_limit`: ends a person's oldest sessions.
- `tickets` keeps records that are taken once: sign-ins under way, codes, logouts. `at_hand`: the worker's copies.
- `cookie_jars`, `application_sessions`, `login_tries` (with `counting_key`) and `sign_out_notes` belong to
applications; `posts` keeps forms across a sign-in.
- `told_people` (with `told_forms`) and `last_findings` keep the directories' data; `known_people` limits how long the
data count; `provider_words`: messages between nodes about providers.
- `sealing` seals and opens records (invariant 8). `codec` encodes their contents. `unreadable` reports records that do
not open.

Ends of sessions:
- `revocations` reads `list_of_ends`. `trust` decides whether memory may answer. `sign_in_ends` marks ended sign-ins.
`unwritten_ends` repeats writes that the store could not take. `oversight`: the operator's view.
- `housekeeping` is a worker's background work. `touches` writes the times of use. `clocks` watches the wall clock.

Stores: `records` is the interface, `stepwise` divides writes into steps of one tag, `opening` opens the store that
gateway.yaml names, `reachability` notes whether the store answers.
- `redis` for Valkey and Redis; `memory` for trying out.
- `sqlite` for one machine. Database: `sqlite_file`, `sqlite_statements`, `sqlite_purge`. Threads: `sqlite_thread`,
`sqlite_reader`, `sqlite_writer`. `sqlite_owner` elects the process for housekeeping. `sqlite_mending` replaces a
damaged file; `sqlite_room` reserves disk space for ends.
"""
