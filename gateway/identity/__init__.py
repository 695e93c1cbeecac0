"""From what a provider said to who the person is, and whether it may say so. Pure.

`mapping` takes validated claims, `assertion_mapping` a validated assertion; both give one `model.identity.Identity`.
`perimeter` holds it against what the provider's file lets it assert (invariant 5), and is asked again for sessions
that live. `establish` joins perimeter and tenant: of what it gives alone a session is made. `address_names` knows
under which names e-mail addresses come. Begin in `establish`.
"""
