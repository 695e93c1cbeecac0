"""SAML in the portal: what its messages set going.

`login` sends a person to their provider, `answers` takes what comes back: validated in a thread (`workbench`),
parked, and finished where the cookie comes. `logout` and `provider_logout` are the two ways out, `ending` what both
do. `incoming` takes messages of every binding, `own_metadata` publishes ours. What a message may say is judged in
`gateway.saml`. Begin in `answers`.
"""
