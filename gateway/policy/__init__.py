"""The rules of an application: path patterns, conditions and decisions, pure.

`patterns` and `routes` find the most specific rule of a path; `conditions` and their kin (`persons`, `hours`,
`levels`, `request_conditions`) are asked of a person and a request, and are true, false or unknown (`truth`); `decide`
comes to Allow, Deny or Challenge. `step_up` says which sign-in would be let in, `trace` why a rule decided
as it did. What is unknown never lets anybody in. Begin in `decide`.
"""
