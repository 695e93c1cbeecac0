"""Where directories tell us of people by themselves: `/_ecluse/scim/v2` of the portal's host, by SCIM 2.0.

`endpoint` finds out which directory asks, by its token, and what for; `users` does what it tells: who is not active any
more is marked so, then every session of theirs ends. At a sign-in, `flow.active_people` asks what was told. Begin in
`endpoint`.
"""
