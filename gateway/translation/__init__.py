"""From an identity to the header lines and cookies that one application understands. Pure.

`render` compiles the specs of an app file, and makes the bytes for one person. `charset` encodes a text for the
application or refuses it, and never writes a replacement character. `read_back` shows what is sent. Begin in `render`.
"""
