"""From an identity to the header lines and cookies that one application understands. Pure.

`render` compiles what a file lists and makes the bytes for one person; `charset` gives each text in the application's
encoding, or refuses it, never with a replacement character; `read_back` tells people and tools what is sent. Begin in
`render`.
"""
