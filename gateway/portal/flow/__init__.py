"""What a sign-in does, whatever protocol the provider speaks. Begin in `app_host`.

- `app_host` begins a transaction on an application's host, and in the end turns the hand-over code into a seat.
- `start` decides on the portal what comes next, and whether a sign-in is late and strong enough.
- `chooser` lets the person choose a provider; `away` stands before a provider that does not answer.
- `source` is the interface of a protocol. `steps` lists what a step may ask to happen next.
- `establish` is the one way from what a provider has proven to a session, a renewed session or a program's seat.
  `acting` asks for which organisation the person acts, `active_people` whether directories have deactivated them.
- `proven` says whether a proof that waited still holds. `one_person` ends the browser's sessions of somebody else,
  `session_limit` the sessions beyond the limit.
- `ends` ends the transaction. `look_again` asks directories again later; `kept_posts` sends a form that was kept.
"""
