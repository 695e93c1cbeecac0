"""How sessions end, and who is told.

`sign_out` ends every session of a browser at the person's wish, in every worker before the response is sent; the
identity source then tells the provider, and `signed_out` tells the person. `idp_initiated` ends what a provider's
verified message names. `applications` calls the applications that name an address for the end of sessions, whatever
ended them. Begin in `sign_out`.
"""
