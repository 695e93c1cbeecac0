"""`ecluse provider add`: begin in `command`.

`place` finds the policy folder. `openid` and `saml` ask the questions of their protocol.
`command` writes the `addition`. `bounds` asks for the perimeter.
"""
