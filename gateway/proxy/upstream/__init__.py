"""Connections to applications.

`connection` is one of them: it sends a request, streams the response to the client connection that asked, and goes
back to its pool; `state` says where in a response it is. `pool` keeps those of one application and opens more, within
its fence. `resolver` turns the names of applications into addresses. What a client connection asks of them is declared
in proxy/exchange.py.
"""
