"""Connections to applications.

`connection` is one connection: sends a request, streams the response to the requesting client connection, and returns
to its pool. `state` is its position in a response. `lenient` is a connection to an application whose file accepts
framing faults. `pool` keeps the connections of one address and opens more, within the address fence. `pools` has the
pools of a worker. For an application with several addresses, `group` chooses an address per request, in the order of
`balance`, among the `member` pools that are in by their `standing`; `health` has the active checks. `resolver` turns
names of applications into addresses. proxy/exchange.py declares the calls between client connections and these.
"""
