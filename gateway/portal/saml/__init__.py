"""SAML as an identity source.

`source` sends a person to their provider, `responses` takes what comes back: validated in a thread (`crypto_thread`),
parked, and finished where the cookie comes. `logout` serves our logout endpoints, `rp_initiated_logout` tells a
provider that a person has signed out here. `incoming` takes logout messages of every binding, `own_metadata` publishes
ours. `second_opinion` asks another of the `other_implementations` about what was accepted. What a message may say is
judged in `gateway.saml`. Begin in `source`.
"""
