"""Sessions, seats and sign-ins under way, sealed. Begin in `sessions`.

Rooms by subject:
- `sessions`: sessions and seats, a worker's memory in front.
- `tickets`: records that are taken once.
- `revocation`: ends of sessions, in force in every worker.
- `posts`: forms and uploads, kept across a sign-in.
- `applications`: cookies, sessions, counts and messages of applications.
- `people`: directories' reports about people.

Stores: `records` is the interface, `stepwise` divides writes into steps of one tag, `opening` opens the store that
gateway.yaml names, `reachability` notes whether the store answers.
- `sqlite` for one machine; `redis` for Valkey and Redis; `memory` for trying out.

Shared by the rooms:
- `sealing` seals and opens records (invariant 8). `codec` encodes their contents. `unreadable` reports records that do
not open.
- `housekeeping` is a worker's background work. `clocks` watches the wall clock.
- `provider_words`: messages between nodes about providers.
"""
