"""Sessions, seats and sign-ins under way, sealed. Begin in `sessions`.

What is kept:
- `sessions` keeps sessions and seats; `seats` are those in a worker's memory; `new_session` is a session before it is
  written; `session_limit` ends a person's oldest.
- `tickets` keeps what is taken once: sign-ins under way, codes, logouts. `at_hand` are copies in the worker.
- `cookie_jars`, `application_sessions`, `login_tries` (with `counting_key`) and `sign_out_notes` belong to
  applications; `posts` keeps forms across a sign-in.
- `told_people` (with `told_forms`) and `last_findings` keep what directories said; `known_people` bounds it in time;
  `provider_words` is what nodes tell each other of providers.
- `sealing` seals and opens records (invariant 8), `codec` is what is inside; `unreadable` tells of records that do not
  open.

How sessions end:
- `revocations` reads `list_of_ends`; `trust` says whether memory may answer; `sign_in_ends` marks the sign-ins that
  have ended; `unwritten_ends` writes again what the store could not take; `oversight` is the operator's view.
- `housekeeping` is a worker's background work; `touches` writes when seats were used; `clocks` watches the wall clock.

Stores: `records` is what each does, `stepwise` divides it into steps of one tag, `opening` opens the store that
gateway.yaml names, `reachability` notes whether it answers.
- `redis` for Valkey and Redis; `memory` for trying out.
- `sqlite` for one machine: `sqlite_file`, `sqlite_statements` and `sqlite_purge` are the database; `sqlite_thread`,
  `sqlite_reader` and `sqlite_writer` its threads; `sqlite_owner` which process keeps house; `sqlite_mending` and
  `sqlite_room` what happens when the file is damaged or the disk is full.
"""
