"""Records that are taken once: sign-ins under way, codes, logouts. Begin in `tickets`.

`tickets`: puts, takes and spends records.
`at_hand`: a worker's copies of the tickets that it has just put.
"""
