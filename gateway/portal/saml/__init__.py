"""SAML in the portal: what its messages set going.

`login` sends a person to their provider, `responses` takes what comes back: validated in a thread (`crypto_thread`),
parked, and finished where the cookie comes. `logout` serves our logout endpoints: `idp_initiated_logout` carries out
what a provider asks for, `rp_initiated_logout` tells a provider that a person has signed out here. `incoming` takes
messages of every binding, `own_metadata` publishes ours. What a message may say is judged in `gateway.saml`. Begin in
`responses`.
"""
