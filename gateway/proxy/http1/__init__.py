"""HTTP/1.1 as bytes: heads and bodies, with no connection and no clock. Begin in `header_layout`.

`partial_head`                      a head that is still arriving
`header_layout`                     the treatment of each line, decided once for heads with the same names
`request_heads`                     layouts and policies of request heads
`response_head`, `response_reader`  an upstream's head, read by the C parser and rewritten for the browser
`known_responses`                   a head like an earlier head, without the parser
`bodies`                            counts bodies, or moves them from the sender's chunks into ours
`page`                              a page of ours as bytes
The rules are in `wire`.
"""
