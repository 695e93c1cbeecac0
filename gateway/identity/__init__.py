"""From what a provider said to who the person is, and whether it may say so. Pure.

`mapping` takes validated claims or a validated assertion, and gives one `model.identity.Identity`.
`perimeter` holds it against what the provider's file lets it assert (invariant 5), and is asked again for sessions
that live. Of what its function establish gives, after perimeter and tenant, alone a session is made. Begin in
`perimeter`.
"""
