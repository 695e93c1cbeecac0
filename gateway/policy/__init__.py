"""The rules of an application: path patterns, conditions and decisions. Pure. Begin in `decide`.

`patterns`, `routes`, `rules`   find the most specific rule of a path
`conditions`, `persons`, `hours`, `levels`, `request_conditions`   conditions on a person and a request
`truth`, `values`, `facts`      true, false or unknown; tests of a text; the facts of a request
`automaton`                     whether RE2 has room for the states of an expression
`budget`                        the steps that the conditions of one decision may take
`decide`                        returns Allow, Deny or Challenge; an unknown condition admits nobody
`step_up`, `trace`, `links`     the sign-in that would be enough; the explanation of a decision; sign-out addresses
"""
