"""From validated claims or assertions to a person, within the provider's bounds. Pure.

`mapping` turns validated claims, or a validated assertion, into one `model.identity.Identity`. `perimeter` checks the
identity against the bounds in the provider's file (invariant 5), at each sign-in and again for live sessions. Its
function establish returns the only identity from which a session is made. `acting` and `mandates` decide for which
organisations a person may act, `directories` adds attributes of shared directories. `served_by`, `organisation_table`
and `organisation_words` find a person's organisation and its providers. `naming` is the name shown on our pages,
`values` the forms of values. Begin
in `perimeter`.
"""
