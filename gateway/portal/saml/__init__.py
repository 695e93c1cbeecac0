"""SAML as an identity source. Begin in `source`; `gateway.saml` judges what a message may say.

- `source` sends a person to their provider; `discovery` asks a federation's search which one.
- `responses` takes the Response: validated in the `crypto_thread`, parked, and finished where the cookie comes.
- `second_opinion` has the `other_implementation` check each accepted Response.
- `incoming` takes logout messages of every binding, `logout` serves our logout endpoints, `rp_initiated_logout` tells a
  provider that a person has signed out here.
- `own_metadata` publishes ours, `logos` serves the providers' logos.
"""
