"""What an application is sent that it can verify by itself, and that ends: signed and sealed tokens. Pure.

`spec` has the values that an application's file comes to. `claims` says what of a person a token tells, or refuses.
`jwt` signs (RFC 7519) and has the public keys; `sealed` seals or signs under a shared key; `aspnet` and `ltpa` write
the tickets of ASP.NET and WebSphere; `basic` is HTTP Basic (RFC 7617), which never ends. `making` makes all tokens of
one application for one person, and says until when they may be sent. Begin in `making`.
"""
