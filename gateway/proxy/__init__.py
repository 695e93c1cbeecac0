"""The data plane: the path of a proxied request. Callbacks over a C parser, without a task, timer or object graph per
request. Begin in `client`.

A client's connection:
- `client` owns the connection, asks `gateway.access` for the outcome of a request, and acts on the outcome.
- `reader` turns bytes into heads and pieces of bodies; `active` is the request under way.
- `request`, `known_heads`, `memo` and `tables` hold the facts of a head; `lane` holds an application's prepared values.
- `credential` takes a program's token; `rates` bounds requests, and `counted_for` decides for whom a request counts.
- `lasting` judges an open request again and ends it with its session; `revalidation` does so for the whole worker.
- `pacing`, `tls_reading` and `unread` read and write at the pace of the slower side.

The other end of a request:
- `exchange` declares the seam; `upstream` has the connections to applications, `http1` heads and bodies as bytes.
- `watched` chooses the `filters`, which change or watch responses, and the `buffers`, where bodies wait for slow
clients.
- `outgoing_head` makes the head for the application; `hidden_cookies` adds the cookies that browsers do not get.
- `upgrade` checks an upgrade, `tunnel` carries it, `tunnels` finds a worker's tunnels by seat.
- `charset_notices` logs bodies that are not in their declared charset.

Our own answers:
- `portal_lane` and `portal_exchange` ask the portal for a page; `spool` bounds unfinished forms for the portal.
- `provider_calls` recognises calls that end sessions; `refusals` makes the pages of refusals.
- `forward_auth` answers servers in front, and `known_questions` remembers their questions; `readiness` answers whether
  this node wants requests.
- `posts` keeps a form whose session has ended, and sends it later.

A worker:
- `dataplane` makes the parts that the connections share, declared in `services`; `retired` frees old tables.
- `admission` counts connections; `timers` ends requests that take too long.
- `accesslog` writes a line per request; `counting` moves the lanes' counts to the worker's counters.
"""
