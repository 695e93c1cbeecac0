"""HTTP/1.1 as bytes: heads and bodies, with no connection and no clock.

`partial_head` judges a head that is still coming. `header_layout` says once for all heads of the same names what is
done with each line of a response, and `request_heads` of a request. `response_head` reads an upstream's head and writes
it anew for the browser; `known_responses` spares that for a head like an earlier one. `bodies` counts bodies, or takes
them out of one side's chunks and puts them into the other's. `page` is a page of ours as bytes. The rules are in
`wire`; begin in `header_layout`.
"""
