"""How sessions end at their person's wish, and who is told.

`sign_out` ends every session of a browser, in every worker before the response is sent. `rp_initiated` then leads the
browser to an OpenID provider that takes RP-initiated logout. `applications` calls the applications that name an
address for the end of sessions, whatever ended them. Begin in `sign_out`.
"""
