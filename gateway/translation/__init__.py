"""From an identity to the header lines and cookies that one application understands. Pure.

`specs` are the values that an app file comes to. `render` compiles them, and makes the bytes for one person.
`transforms` changes the values of an attribute before they are encoded. `charset` encodes a text for the application or
refuses it, and never writes a replacement character; `nearest` has the letters that people accept in place of others.
`read_back` shows what is sent. Begin in `render`.
"""
