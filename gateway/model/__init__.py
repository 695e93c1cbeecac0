"""Frozen values, errors and tables that everything shares; the standard library alone.

`codes` and `events` are the tables of what may be refused and logged, and `errors` has the one error type.
`identity`, `session`, `transaction`, `provider` and `decision` are the values that pass from layer to layer. `ports`
has the protocols by which siblings of level 3 ask each other without importing each other. `codec` carries frozen
values as JSON, between processes and into stores. Nothing here does input or output.
"""
