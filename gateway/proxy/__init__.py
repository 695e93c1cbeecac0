"""The data plane: all that a proxied request touches. Callbacks over a C parser; no task, timer or object graph each.

`client` is the connection of a client. It asks `gateway.access` for the outcome of each request and acts on the
outcome. It holds a `reader`, which turns bytes into heads and pieces of bodies, and the request under way, `active`.
`lasting` judges that request again and ends it with its session. `credential` is the token of a program. `exchange`
declares what stands at the other end of a request: a connection in `upstream`, a response that is changed or watched
(`watched`) in `filters`, or `portal_exchange`. `http1` has heads and bodies as bytes. `request`, `known_heads`, `memo`
and `tables` know what is read of a head, `lane` what one application is here. `upgrade` says what may become a
`tunnel`, and `tunnels` knows those of a worker by seat. `charset_notices` tells of texts that lie of their charset.
`outgoing_head` is what an application gets of a head. `hidden_cookies` adds cookies that browsers are not given,
`posts` keeps a form whose session has ended and sends it later, `buffers` has bodies that wait for slow clients.
`portal_lane` and `refusals` make what ends at ourselves; `forward_auth` answers servers in front that pass requests on
themselves, and `known_questions` what they have asked before. `admission` counts connections, `timers` ends what takes
too long, `revalidation` looks again at what is under way. `services` is what a worker's connections share; `dataplane`
makes it. Begin in `client`.
"""
