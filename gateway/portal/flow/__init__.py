"""What a sign-in does, whatever protocol the provider speaks.

`app_host` begins a transaction on an application's host, `start` decides on the portal what comes next for it and
whether a sign-in is late and strong enough, and `app_host` turns the hand-over code into the application's own seat.
`source` is the interface of a protocol, which begins a sign-in, completes one to an authentication, and logs out; it
also tells which protocol is a provider's, and finds the transaction that a sign-in serves. `establish` is the one way
from what a provider has proven to a session, a renewed session or a program's seat. `proven` says whether what
waited is worth anything still. `steps` lists what a step may ask to happen next. Begin in `app_host`.
"""
