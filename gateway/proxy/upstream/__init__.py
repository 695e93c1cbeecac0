"""Connections to applications.

`connection` is one of them: it sends a request, streams the response to the client connection that asked, and goes
back to its pool; `state` says where in a response it is. `pool` keeps those of one address and opens more, within
its fence. `pools` has them all. Where an application has several addresses, `group` chooses one for each request,
in the order of `balance`, among the `member` pools that are in by their `standing`. `resolver` turns the names of
applications into addresses. What a client connection asks of them is declared in proxy/exchange.py.
"""
