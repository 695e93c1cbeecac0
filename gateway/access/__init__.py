"""Who may have what: from a request's host and line to a decision, as values, in the order of the walk.

`virtual_host`: the application of a Host header. `request_line`: what is asked of it, in one reading. `decision`:
what policy says of that for one person, and what the application is told about them. Live traffic (`proxy`) and what
tries requests without serving (`trial`) ask the same functions, so that they cannot disagree.
"""
